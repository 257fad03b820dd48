"""Starting, measuring and stopping the programs that are benchmarked."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from bot.config import SETTINGS

ROOT = Path(__file__).resolve().parent.parent
MODEL = ROOT / "models" / "kasuki.tar.gz"
STOP_SECONDS = 20.0


class BenchmarkError(Exception):
    """What keeps a benchmark from running, in one sentence for whoever started it."""


@dataclass(frozen=True)
class Memory:
    """Megabytes: resident, and proportional (shared pages divided among their users) where the system tells."""

    rss: float
    pss: float | None

    def __add__(self, other: Memory) -> Memory:
        pss = None if self.pss is None or other.pss is None else self.pss + other.pss
        return Memory(self.rss + other.rss, pss)


def memory_of(processes: Iterable[psutil.Process]) -> Memory:
    """The memory of some processes together."""
    total = Memory(0.0, 0.0)
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            rss = process.memory_info().rss / 1e6
            try:
                pss: float | None = process.memory_full_info().pss / 1e6
            except (psutil.AccessDenied, AttributeError):
                pss = None
            total += Memory(rss, pss)
    return total


def processor_seconds(processes: Iterable[psutil.Process]) -> float:
    """The processor time that some processes have taken since they began."""
    total = 0.0
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.user + times.system
    return total


class Child:
    """A program that was started here, with what it prints in a file."""

    def __init__(self, name: str, command: Sequence[str], *, env: Mapping[str, str], cwd: Path, log: Path) -> None:
        self.name = name
        self.log = log
        with log.open("ab") as output:
            # A session of its own: Ctrl-C reaches the benchmark alone, which then stops it in order.
            self._process = subprocess.Popen(
                command,
                env=dict(env),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.process = psutil.Process(self._process.pid)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self._process.poll() is not None

    def check(self) -> None:
        """Raises BenchmarkError with the end of its log if it ended by itself."""
        if self.ended:
            raise BenchmarkError(f"{self.name} ended with status {self._process.returncode}:\n{tail(self.log)}")

    def tree(self) -> list[psutil.Process]:
        """The process and those that it started."""
        try:
            return [self.process, *self.process.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone; what it started lives on."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """Ask it to stop; insist after a while, also with what it started. Safe to repeat."""
        tree = self.tree()
        if not self.ended:
            self._process.send_signal(signal.SIGCONT)
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        _, alive = psutil.wait_procs(tree, timeout=5)
        for process in alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()


def tail(log: Path, lines: int = 15) -> str:
    """The end of a log."""
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


def free_port() -> int:
    """A port on 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def temporary_folder(prefix: str) -> Iterator[Path]:
    """A folder that is gone afterwards, for databases, logs and everything else."""
    with tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def child_environment(folder: Path, **settings: str) -> dict[str, str]:
    """An environment in which this project's programs see only the given settings, and write only into the folder.

    They must also be started in that folder, so that no .env file is read.
    """
    unwanted = {*SETTINGS, "PROMETHEUS_MULTIPROC_DIR", "PYTHONSTARTUP"}
    environment = {name: value for name, value in os.environ.items() if name not in unwanted}
    temporary = folder / "tmp"
    temporary.mkdir(exist_ok=True)
    return {
        **environment,
        "PYTHONPATH": str(ROOT),
        "TMPDIR": str(temporary),
        "RASA_TELEMETRY_ENABLED": "false",
        "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "HOST": "127.0.0.1",
        "DEMO": "1",
        "DESK_HOURS": "always",
        "VAR_DIR": str(folder / "var"),
        "MODEL_PATH": str(MODEL),
        "BUSINESS_FILE": str(ROOT / "business.yml"),
        **settings,
    }


def run_bot(command: str, env: Mapping[str, str], folder: Path) -> None:
    """Run one of the project's commands to its end. Raises BenchmarkError when it fails."""
    done = subprocess.run(
        [sys.executable, "-m", "bot", command], env=env, cwd=folder, capture_output=True, text=True, timeout=120
    )
    if done.returncode != 0:
        raise BenchmarkError(f"`python -m bot {command}` failed with status {done.returncode}:\n{done.stderr}")


def require_model() -> None:
    """Raises BenchmarkError when there is no trained model."""
    if not MODEL.is_file():
        raise BenchmarkError("There is no trained model: run `make train` first.")
