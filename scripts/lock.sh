#!/usr/bin/env bash
# Resolve everything afresh in a throw-away environment and write down the versions that came out.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check -e "$here[postgres]" -r "$here/requirements-dev.txt"
{
    echo "# Every version Resonanz is installed and tested with. Written by scripts/lock.sh; do not edit by hand."
    "$work/venv/bin/python" -m pip freeze --exclude-editable | LC_ALL=C sort -f
} >"$here/constraints.txt"
