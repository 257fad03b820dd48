"""The two services that are compared: this project's `serve`, and stock Rasa with its action server."""

from __future__ import annotations

import secrets
import shutil
import sys
from pathlib import Path

import psutil

from bench.processes import Child, child_environment, free_port, require_model, run_bot
from bench.stock import StockRasa, stock_environment, write_stock_settings

WEBHOOK = "/webhooks/rest/webhook"


class OurService:
    """`python -m bot serve`: gateway and one dialogue worker, SQLite with durable commits, demo data."""

    name = "ours"

    def __init__(self, folder: Path) -> None:
        require_model()
        self._folder = folder
        port = free_port()
        api_key = secrets.token_urlsafe(32)
        self._env = child_environment(folder, PORT=str(port), API_KEY=api_key, LOG_FORMAT="text")
        self._serve: Child | None = None
        self.url = f"http://127.0.0.1:{port}{WEBHOOK}"
        self.headers = {"Authorization": f"Bearer {api_key}"}

    def prepare(self) -> None:
        """Load the demo data beforehand: it is needed once in a database's life, not at every start."""
        run_bot("demo", self._env, self._folder)

    def start(self) -> None:
        """Start it; it answers some seconds later."""
        command = [sys.executable, "-m", "bot", "serve"]
        self._serve = Child("serve", command, env=self._env, cwd=self._folder, log=self._folder / "serve.log")

    def check(self) -> None:
        """Raises BenchmarkError when a process has ended by itself."""
        if self._serve is not None:
            self._serve.check()

    def processes(self) -> dict[str, list[psutil.Process]]:
        """The processes by what they do; the first is the one with the model."""
        assert self._serve is not None
        gateway, *workers = self._serve.tree()
        return {"worker": workers, "gateway": [gateway]}

    def stop(self) -> None:
        """Stop everything. Safe to repeat."""
        if self._serve is not None:
            self._serve.stop()


class StockService:
    """`rasa run` and `rasa run actions`: SQLite tracker store, REST channel, our actions on a demo database."""

    name = "stock"

    def __init__(self, folder: Path, stock: StockRasa, model: Path) -> None:
        self._folder = folder
        self._stock = stock
        self._model = model
        self._port, self._action_port = free_port(), free_port()
        # Rasa's action server listens where SANIC_HOST says.
        self._actions_env = child_environment(folder, SANIC_HOST="127.0.0.1")
        self._children: dict[str, Child] = {}
        self.url = f"http://127.0.0.1:{self._port}{WEBHOOK}"
        self.headers: dict[str, str] = {}

    def prepare(self) -> None:
        """The files and the demo data that both programs need."""
        write_stock_settings(self._folder, action_port=self._action_port)
        (self._folder / "models").mkdir()
        shutil.copy(self._model, self._folder / "models" / "stock.tar.gz")
        run_bot("demo", self._actions_env, self._folder)

    def start(self) -> None:
        """Start both at once; they answer a minute later."""
        actions = [sys.executable, "-m", "rasa", "run", "actions", "--port", str(self._action_port)]
        server = [
            *(str(self._stock.python), "-m", "rasa", "run", "--interface", "127.0.0.1", "--port", str(self._port)),
            *("--model", "models/stock.tar.gz", "--endpoints", "endpoints.yml", "--credentials", "credentials.yml"),
        ]
        self._children["server"] = Child(
            "rasa run", server, env=stock_environment(), cwd=self._folder, log=self._folder / "server.log"
        )
        self._children["action server"] = Child(
            "rasa run actions", actions, env=self._actions_env, cwd=self._folder, log=self._folder / "actions.log"
        )

    def check(self) -> None:
        """Raises BenchmarkError when a process has ended by itself."""
        for child in self._children.values():
            child.check()

    def processes(self) -> dict[str, list[psutil.Process]]:
        """The processes by what they do; the first is the one with the model."""
        return {name: child.tree() for name, child in self._children.items()}

    def stop(self) -> None:
        """Stop everything. Safe to repeat."""
        for child in self._children.values():
            child.stop()
