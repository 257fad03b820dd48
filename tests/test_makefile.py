"""The Makefile and its scripts, on machines where things are missing or broken."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PYTHON = Path(sys.executable).resolve()

no_python_in_a_system_folder = pytest.mark.skipif(
    any(Path(folder, "python3.10").exists() for folder in ("/usr/bin", "/usr/local/bin", "/opt/homebrew/bin")),
    reason="a Python 3.10 in a system folder, which no PATH hides",
)
pytestmark = pytest.mark.skipif(os.name != "posix", reason="make and sh")


def run(*command: str, environ: dict[str, str] | None = None, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    # A make that runs this suite hands its own flags down; they are not part of what is tested.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(
        command, cwd=cwd, env=inherited if environ is None else environ, capture_output=True, text=True, timeout=60
    )


def script(path: Path, body: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def bare_machine(tmp_path: Path) -> dict[str, str]:
    """A machine whose PATH has the basic tools, but no Python, no pyenv and no uv that runs."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in ("sh", "dirname", "cksum", "cat", "rm", "mkdir", "grep", "cp"):
        for folder in ("/usr/bin", "/bin"):
            if (Path(folder) / tool).exists():
                (tools / tool).symlink_to(Path(folder) / tool)
                break
    for name in ("python", "python3", "python3.10", "uv", "pyenv"):
        script(tools / name, f"echo 'pyenv: {name}: command not found' >&2; exit 127")
    return {"PATH": str(tools), "HOME": str(tmp_path / "home"), "PYENV_ROOT": str(tmp_path / "pyenv")}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the scripts, so that nothing touches this checkout's own environment."""
    copy = tmp_path / "checkout"
    (copy / "tools").mkdir(parents=True)
    for file in (ROOT / "tools").glob("*.sh"):
        (copy / "tools" / file.name).write_text(file.read_text())
    return copy


def runs_as_python_310(path: str) -> bool:
    return run(path.strip(), "-c", "import sys; print(sys.version_info[:2])").stdout.strip() == "(3, 10)"


def test_every_target_of_help_exists_and_every_target_is_in_help():
    listed = re.findall(r"^make (\w+) +\S", run("make", "--no-print-directory", "help").stdout, re.MULTILINE)
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert phony is not None
    assert {"run", "test", "train", "lint", "bench", "help"} <= set(listed)
    assert sorted(listed) == sorted(set(phony[1].split()) - {"FORCE"})
    for target in listed:
        assert run("make", "--dry-run", target).returncode == 0, target


def test_help_is_what_plain_make_does():
    assert run("make", "--no-print-directory").stdout == run("make", "--no-print-directory", "help").stdout


def test_the_scripts_are_valid_for_a_plain_posix_shell():
    scripts = sorted((ROOT / "tools").glob("*.sh"))

    assert len(scripts) >= 3
    for file in scripts:
        assert run("sh", "-n", str(file)).returncode == 0, file


def test_find_python_skips_a_shim_that_fails(bare_machine, checkout):
    script(Path(bare_machine["PYENV_ROOT"]) / "versions/3.10.99/bin/python3.10", f'exec "{PYTHON}" "$@"')

    found = run("sh", "tools/find_python.sh", environ=bare_machine, cwd=checkout)

    assert found.returncode == 0, found.stderr
    assert runs_as_python_310(found.stdout)


def test_find_python_asks_pyenv_where_its_versions_are(bare_machine, checkout, tmp_path):
    script(tmp_path / "elsewhere/versions/3.10.1/bin/python3.10", f'exec "{PYTHON}" "$@"')
    script(Path(bare_machine["PATH"]) / "pyenv", f'[ "$1" = root ] && echo "{tmp_path}/elsewhere"')

    assert runs_as_python_310(run("sh", "tools/find_python.sh", environ=bare_machine, cwd=checkout).stdout)


def test_find_python_uses_the_one_that_is_named(bare_machine, checkout):
    found = run("sh", "tools/find_python.sh", environ={**bare_machine, "PYTHON": str(PYTHON)}, cwd=checkout)

    assert runs_as_python_310(found.stdout)


def test_find_python_refuses_a_named_one_that_fails(bare_machine, checkout):
    found = run("sh", "tools/find_python.sh", environ={**bare_machine, "PYTHON": "python3.10"}, cwd=checkout)

    assert found.returncode == 1
    assert found.stderr.startswith("PYTHON=python3.10 is not a Python 3.10 that runs")


@no_python_in_a_system_folder
def test_find_python_has_uv_install_one_when_there_is_none(bare_machine, checkout):
    # A stand-in for uv, which knows a Python only after it was told to install one.
    script(
        Path(bare_machine["PATH"]) / "uv",
        f"""case "$*" in
            --version) ;;
            "python install"*) echo yes >"{checkout}/installed" ;;
            "python find"*) [ -e "{checkout}/installed" ] && echo "{PYTHON}" ;;
        esac""",
    )

    found = run("sh", "tools/find_python.sh", environ=bare_machine, cwd=checkout)

    assert (checkout / "installed").exists()
    assert runs_as_python_310(found.stdout)


@no_python_in_a_system_folder
def test_find_python_says_in_one_line_what_is_missing(bare_machine, checkout):
    # A Python of another version may be there and could fetch uv: not without an index.
    found = run("sh", "tools/find_python.sh", environ={**bare_machine, "PIP_NO_INDEX": "1"}, cwd=checkout)

    assert found.returncode == 1
    assert found.stderr.splitlines()[-1].startswith("Kasuki needs Python 3.10")


def test_an_environment_that_holds_the_locked_packages_is_left_alone(bare_machine, checkout):
    (checkout / "requirements.txt").write_text("a-package==1 --hash=sha256:00\n")
    (checkout / ".venv/bin").mkdir(parents=True)
    (checkout / ".venv/bin/python").symlink_to(PYTHON)
    lock = (checkout / "requirements.txt").read_bytes()
    stamp = checkout / ".venv/.installed"
    stamp.write_text(subprocess.run(["cksum"], input=lock, capture_output=True, check=True).stdout.decode())
    before = stamp.stat().st_mtime_ns

    made = run("sh", "tools/make_env.sh", environ=bare_machine, cwd=checkout)

    assert (made.returncode, made.stderr) == (0, "")
    assert stamp.stat().st_mtime_ns == before


def test_a_changed_lock_is_installed_by_its_hashes_and_without_resolving(bare_machine, checkout):
    (checkout / "requirements.txt").write_text("a-package==1 --hash=sha256:00\n")
    (checkout / ".venv/bin").mkdir(parents=True)
    (checkout / ".venv/bin/python").symlink_to(PYTHON)
    (checkout / ".venv/.installed").write_text("an older lock\n")
    script(Path(bare_machine["PATH"]) / "uv", f'echo "$*" >>"{checkout}/calls"')

    made = run("sh", "tools/make_env.sh", environ=bare_machine, cwd=checkout)

    assert made.returncode == 0, made.stderr
    assert (checkout / "calls").read_text().splitlines()[-1] == (
        "pip sync --quiet --require-hashes --python .venv/bin/python requirements.txt"
    )
    assert (checkout / ".venv/.installed").read_text() != "an older lock\n"


def test_a_failed_installation_leaves_no_stamp(bare_machine, checkout):
    (checkout / "requirements.txt").write_text("a-package==1 --hash=sha256:00\n")
    # A Python whose pip always fails, as without a network.
    script(checkout / ".venv/bin/python", 'case "$*" in "-m pip install"*) exit 1 ;; esac')

    made = run("sh", "tools/make_env.sh", environ=bare_machine, cwd=checkout)

    assert made.returncode == 1
    assert "could not be installed" in made.stderr
    assert not (checkout / ".venv/.installed").exists()
