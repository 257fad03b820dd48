#!/bin/sh
# Prints the path of a Python 3.10 that runs; has uv install one when there is none; else fails with one line.
# PYTHON names one to use instead of searching.
# Every candidate is run: a python3.10 on the PATH can be a pyenv shim that fails.
set -u
here=$(dirname "$0")

try() {
    [ -n "$1" ] || return 1
    # The base executable, so that an activated virtual environment leads to the Python it was made from.
    found=$("$1" -c '
import sys
if sys.version_info[:2] != (3, 10):
    sys.exit(1)
import ctypes, sqlite3, ssl  # a Python built without their headers lacks them
print(getattr(sys, "_base_executable", None) or sys.executable)
' 2>/dev/null </dev/null) || return 1
    printf '%s\n' "$found"
    exit 0
}

if [ -n "${PYTHON:-}" ]; then
    try "$PYTHON"
    echo "PYTHON=$PYTHON is not a Python 3.10 that runs (with ssl and sqlite3)." >&2
    exit 1
fi

try python3.10
try python3
try python
for root in "${PYENV_ROOT:-}" "${HOME:-/nonexistent}/.pyenv" "$(pyenv root 2>/dev/null)"; do
    [ -n "$root" ] || continue
    for candidate in "$root"/versions/3.10*/bin/python3.10; do
        [ -x "$candidate" ] && try "$candidate"
    done
done
for folder in /usr/local/bin /usr/bin /opt/homebrew/bin /opt/homebrew/opt/python@3.10/bin /usr/local/opt/python@3.10/bin; do
    [ -x "$folder/python3.10" ] && try "$folder/python3.10"
done

if uv=$(sh "$here/find_uv.sh" --install); then
    case $uv in
        .uv/*) uv=$here/../$uv ;;
    esac
    try "$("$uv" python find --system --no-python-downloads 3.10 2>/dev/null)"
    echo "Installing Python 3.10 with uv ..." >&2
    "$uv" python install --quiet 3.10 >/dev/null 2>&1 </dev/null
    try "$("$uv" python find --system --no-python-downloads 3.10 2>/dev/null)"
fi

echo "Kasuki needs Python 3.10: none was found and uv could not install one. Install it (uv python install 3.10, pyenv install 3.10, or your system's packages), or run: make PYTHON=/path/to/python3.10" >&2
exit 1
