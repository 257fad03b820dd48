#!/bin/sh
# Prints the path of a uv that runs; fails, printing nothing, when there is none.
# With --install, a missing uv is installed into .uv/ (PyPI is enough for that).
# Every candidate is run: a uv on the PATH can be a pyenv shim of another Python's tool, which fails.
set -u
cd "$(dirname "$0")/.." || exit 1

try() {
    [ -n "$1" ] && "$1" --version >/dev/null 2>&1 </dev/null || return 1
    printf '%s\n' "$1"
    exit 0
}

try "${UV:-}"
try uv
try .uv/bin/uv
for candidate in "${HOME:-/nonexistent}/.local/bin/uv" "${HOME:-/nonexistent}/.cargo/bin/uv" \
    "${PYENV_ROOT:-${HOME:-/nonexistent}/.pyenv}"/versions/*/bin/uv; do
    [ -x "$candidate" ] && try "$candidate"
done

[ "${1:-}" = --install ] || exit 1
echo "Installing uv into .uv/ ..." >&2
for python in "${PYTHON:-}" python3 python python3.10 /usr/bin/python3 /usr/local/bin/python3; do
    [ -n "$python" ] && "$python" -c 'import sys; sys.exit(sys.version_info < (3, 8))' >/dev/null 2>&1 </dev/null || continue
    rm -rf .uv
    if "$python" -m venv .uv >/dev/null 2>&1; then
        .uv/bin/python -m pip install --quiet --disable-pip-version-check uv >&2 && try .uv/bin/uv
    elif "$python" -m pip --version >/dev/null 2>&1; then
        # Debian's Python comes without ensurepip; its pip can still fill a folder.
        "$python" -m pip install --quiet --disable-pip-version-check --target .uv uv >&2 && try .uv/bin/uv
    fi
done
rm -rf .uv
exit 1
