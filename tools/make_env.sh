#!/bin/sh
# Makes .venv: Python 3.10 with exactly the packages of requirements.txt, each checked against its hash.
# Does nothing when .venv already holds them, so it is cheap to call before everything.
set -eu
cd "$(dirname "$0")/.."
stamp=.venv/.installed
wanted=$(cksum <requirements.txt)

runs() { .venv/bin/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 10))' >/dev/null 2>&1; }

if [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && runs; then
    exit 0
fi

# uv is optional here: it installs several times faster than pip.
uv=$(sh tools/find_uv.sh) || uv=
if ! runs; then
    python=$(sh tools/find_python.sh)
    [ -n "$uv" ] || uv=$(PYTHON=$python sh tools/find_uv.sh --install) || uv=
    echo "Making .venv with $python" >&2
    rm -rf .venv
    if [ -n "$uv" ]; then
        "$uv" venv --quiet --python "$python" .venv
    elif ! "$python" -m venv .venv >/dev/null 2>&1; then
        rm -rf .venv
        echo "$python has no venv module, and uv could not be installed. Install one of them (on Debian: python3-venv)." >&2
        exit 1
    fi
fi

rm -f "$stamp"
quiet=--quiet
[ -t 2 ] && quiet=
echo "Installing the packages of requirements.txt into .venv (2.8 GB; one to five minutes, once) ..." >&2
# $quiet is an option or nothing at all, so it stays unquoted.
if [ -z "$uv" ] || ! "$uv" pip sync $quiet --require-hashes --python .venv/bin/python requirements.txt; then
    [ -z "$uv" ] || echo "uv could not install the packages; trying pip ..." >&2
    .venv/bin/python -m pip --version >/dev/null 2>&1 || .venv/bin/python -m ensurepip >/dev/null
    if ! .venv/bin/python -m pip install $quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.txt; then
        echo "The packages could not be installed (see above). Is PyPI reachable from here? Run make again to continue." >&2
        exit 1
    fi
fi
printf '%s\n' "$wanted" >"$stamp"
