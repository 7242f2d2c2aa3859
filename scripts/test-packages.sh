#!/usr/bin/env bash
# The tests talk to real peers: Caddy, Chromium, Postfix, Dovecot, swaks. Install what is missing when we may, and say so; else name it and fail.
set -euo pipefail
declare -A needed=([caddy]=caddy [chromium]=chromium [postfix]=/usr/sbin/postfix [dovecot-imapd]=/usr/lib/dovecot/imap [dovecot-pop3d]=/usr/lib/dovecot/pop3 [dovecot-lmtpd]=/usr/lib/dovecot/lmtp [dovecot-sieve]=sieve-test [swaks]=swaks)
missing=()
for package in "${!needed[@]}"; do
    command -v "${needed[$package]}" >/dev/null || missing+=("$package")
done
[ ${#missing[@]} = 0 ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing the system packages the tests need: ${missing[*]} …"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
else
    echo "The tests need these system packages: ${missing[*]} (Debian, Ubuntu: apt install ${missing[*]})" >&2
    exit 1
fi
