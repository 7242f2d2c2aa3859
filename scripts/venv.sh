#!/usr/bin/env bash
# Create the virtual environment. Debian splits venv's pip bootstrap into a package of its own, so a fresh machine with
# Python alone cannot make one: as root we add the package and say so, otherwise we name it.
set -euo pipefail
python=$1 venv=$2

version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2]); sys.exit(sys.version_info < (3, 11))') || {
    echo "Resonanz needs Python 3.11 or newer; $python is ${version:-not there}. Name another: make PYTHON=/path/to/python3" >&2
    exit 1
}
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    package="python$version-venv"
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "Installing the system package $package, which $python needs to make a virtual environment …"
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$package" >/dev/null
    else
        echo "$python cannot make a virtual environment. Install $package (Debian, Ubuntu: apt install $package), then try again." >&2
        exit 1
    fi
fi
echo "Creating $venv with Python $version …"
"$python" -m venv "$venv"
