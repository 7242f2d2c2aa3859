/* Resonanz: which pages of this site somebody reads after following a link in a mail they agreed to have tracked.
   No cookie, nothing kept beyond this tab, nothing at all without a visit's token or against GPC or DNT. */
(function () {
  "use strict";
  var script = document.currentScript, nav = navigator, place = location, KEY = "resonanz.visit";
  var found = /^#rz=([A-Za-z0-9_-]{20,200})$/.exec(place.hash), visit = found && found[1];
  if (found) history.replaceState(history.state, "", place.pathname + place.search);
  var objects = nav.globalPrivacyControl || [nav.doNotTrack, window.doNotTrack].indexOf("1") >= 0;
  try {
    if (objects) sessionStorage.removeItem(KEY);
    else if (visit) sessionStorage.setItem(KEY, visit);
    else visit = sessionStorage.getItem(KEY);
  } catch (refused) { /* storage is off: the visit is this page */ }
  if (objects || !visit || !script || !script.src) return;

  var door = new URL("/b", script.src).href, waiting = [], timer, since = 0, seen = 0, told = -1;

  function report(act, more) {
    more.act = act;
    more.at = (place.origin + place.pathname + place.search).slice(0, 1000);
    waiting.push(more);
    if (waiting.length >= 10) send();
    else if (!timer) timer = setTimeout(send, 200);
  }
  function send() {
    clearTimeout(timer);
    timer = 0;
    if (!waiting.length) return;
    var body = JSON.stringify({ visit: visit, reports: waiting.splice(0, 10) });
    if (!nav.sendBeacon || !nav.sendBeacon(door, body))
      fetch(door, { method: "POST", body: body, mode: "no-cors", credentials: "omit", keepalive: true }).catch(function () {});
  }
  function page() {
    var from = "";
    try {
      var before = new URL(document.referrer);
      if (before.origin === place.origin) from = before.pathname.slice(0, 300);
    } catch (none) { /* there was no page before */ }
    seen = 0;
    told = -1;
    look();
    report("page", { title: document.title.slice(0, 150), from: from });
  }
  function look() { since = document.visibilityState === "visible" ? Date.now() : 0; }
  function leave() {
    if (since) seen += Date.now() - since;
    since = 0;
    var seconds = Math.round(seen / 1000);
    if (seconds > 0 && seconds !== told) report("time", { seconds: told = seconds });
    send();
  }
  document.addEventListener("visibilitychange", function () {
    if (document.visibilityState === "visible") look(); else leave();
  });
  addEventListener("pagehide", leave);
  addEventListener("pageshow", function (event) { if (event.persisted) page(); });
  document.addEventListener("click", function (event) {
    var element = event.target.closest && event.target.closest("[data-resonanz]");
    if (element) report("element", { element: (element.getAttribute("data-resonanz") || "").slice(0, 60) });
  }, true);

  function start() { if (document.readyState === "loading") addEventListener("DOMContentLoaded", page); else page(); }
  if (document.prerendering) document.addEventListener("prerenderingchange", start); else start();
})();
