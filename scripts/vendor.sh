#!/usr/bin/env bash
# Fetch the front-end files that are kept in the tree, check them against their digests, and put them in place with
# their licence texts. Run it after changing a version here; nothing else in the tree is fetched at build or run time.
set -euo pipefail
static="$(cd "$(dirname "$0")/.." && pwd)/src/resonanz/dashboard/static/vendor"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir -p "$static"

# fetch PACKAGE@VERSION DIGEST: unpack into ./package; the digest is the published archive's SHA-512 in base64.
fetch() {
    local archive digest
    rm -rf package
    archive=$(npm pack --silent "$1")
    digest=$(openssl dgst -sha512 -binary "$archive" | openssl base64 -A)
    if [ "$digest" != "$2" ]; then
        echo "vendor: $1 is not what it was: $digest" >&2
        exit 1
    fi
    tar xzf "$archive"
    echo "vendor: $1"
}

fetch htmx.org@2.0.11 'Thx/WtpeOQqSrqBCw/A1cwGJGg4UrVa3+sW0GmrM3p4gJgO89ecH4qtbnyzDDWFvBTqjnIMCgELTNt636dtamA=='
cp package/dist/htmx.min.js "$static/htmx.js"
cp package/LICENSE "$static/htmx.LICENSE.txt"

fetch @fontsource-variable/inter@5.3.0 'OupL48va4JNofb97w6NYeF9S7W/kHNKM0Er8Dem5nqi4jeOLrVJDoE8tZEpnMJmtkvNbB1EIPPwHcdkF6b1oUA=='
cp package/files/inter-latin-wght-normal.woff2 "$static/inter-latin.woff2"
cp package/files/inter-latin-ext-wght-normal.woff2 "$static/inter-latin-ext.woff2"
cp package/LICENSE "$static/inter.LICENSE.txt"
