// Keeps an open page true: the server says which messages have news, and the parts of the page that show them ask again.
"use strict";
(() => {
  const body = document.body;
  if (!body.dataset.liveAfter) return;
  let position = body.dataset.liveAfter;
  let source = null;

  // A part shows "all", or the one message or submission whose id it carries.
  const refresh = (ids) => {
    for (const part of document.querySelectorAll("[data-live]")) {
      const shows = part.dataset.live;
      if (shows === "all" || ids.includes("all") || ids.includes(shows)) htmx.trigger(part, "live");
    }
  };

  const show = (state) => { body.dataset.stream = state; };

  const open = () => {
    if (source) return;
    source = new EventSource(`/live?after=${encodeURIComponent(position)}`);
    source.addEventListener("open", () => show("on"));
    source.addEventListener("error", () => show("off"));
    source.addEventListener("news", (event) => {
      position = event.lastEventId || position;
      refresh(JSON.parse(event.data).ids);
    });
  };

  const close = () => {
    if (source) source.close();
    source = null;
  };

  // A part that is shown anew between pressing and letting go would swallow the press: it waits until that is over.
  let pressed = false;
  const held = new Set();
  const release = () => {
    pressed = false;
    // Behind the click that belongs to the press.
    setTimeout(() => {
      for (const part of held) htmx.trigger(part, "live");
      held.clear();
    });
  };
  document.addEventListener("pointerdown", () => { pressed = true; });
  document.addEventListener("pointerup", release);
  document.addEventListener("pointercancel", release);
  window.addEventListener("blur", release);

  // What the reader has unfolded stays unfolded when its part is shown anew, and only what is new in it glows.
  const entries = (part) => [...part.querySelectorAll("[data-entry]")];
  let unfolded = [];
  let known = new Set();
  body.addEventListener("htmx:beforeSwap", (event) => {
    if (pressed) {
      event.detail.shouldSwap = false;
      held.add(event.detail.target);
      return;
    }
    unfolded = [...event.detail.target.querySelectorAll("details[open][id]")].map((details) => details.id);
    known = new Set(entries(event.detail.target).map((entry) => entry.dataset.entry));
  });
  body.addEventListener("htmx:afterSwap", (event) => {
    for (const id of unfolded) document.getElementById(id)?.setAttribute("open", "");
    for (const entry of entries(event.detail.target)) {
      if (!known.has(entry.dataset.entry)) entry.classList.add("fresh");
    }
  });

  // A hidden tab needs no stream, and browsers allow few of them; shown again, it goes on where it left off.
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", () => { if (!document.hidden) open(); });
})();
