"""The whole service in its own processes, and Chromium in front of it."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.window import Window

ROOT = Path(__file__).parents[2]
READY_SECONDS = 90
# The same engine without a window's menus and panels opens a page in a third of the time, where it is installed.
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)


class Service:
    """`python -m bot serve` with data of its own; can be stopped and started again."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it is ready."""
        environment = {**os.environ, "DEMO": "1", "VAR_DIR": str(self._folder), "RASA_TELEMETRY_ENABLED": "false"}
        environment["DESK_HOURS"] = "always"
        environment.pop("PROMETHEUS_MULTIPROC_DIR", None)
        with (self._folder / "serve.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "bot", "serve", "--port", str(self.port)],
                cwd=ROOT,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        end = time.monotonic() + READY_SECONDS
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > end:
                self.stop()
                pytest.fail("the service did not start:\n" + (self._folder / "serve.log").read_text()[-4000:])
            time.sleep(0.2)

    def _is_ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def password(self, email: str) -> str:
        """The password of one of the demo's agents."""
        lines = (self._folder / "demo.txt").read_text().splitlines()
        return dict(line.split() for line in lines if not line.startswith("#"))[email]

    def stop(self) -> None:
        """Stop it as Ctrl-C would."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    running = Service(tmp_path_factory.mktemp("service"))
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")  # its event loop must be gone before other tests begin theirs
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine, so the browser tests were skipped: install `chromium`")
    with sync_playwright() as playwright:
        args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        # Sounds go nowhere: whether this machine has a device for them, and how soon, is not what we test.
        args += ["--disable-audio-output"]
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=args)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Window]:
    """A gateway in which the bot says what the test wants, for all tests of a file."""
    running = Window(tmp_path_factory.mktemp("window"))
    running.start()
    yield running
    running.stop()


@pytest.fixture(params=[(1280, 800), (390, 844)], ids=["desktop", "phone"])
def page(browser: Browser, service: Service, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The demo shop, freshly opened; a script error or a refused resource fails the test."""
    width, height = request.param
    context = browser.new_context(viewport={"width": width, "height": height})
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    opened.goto(service.url)
    yield opened
    # Losing the connection is an error to the console, and what one test does on purpose.
    assert [line for line in complaints if "WebSocket" not in line and "ERR_CONNECTION" not in line] == []
    context.close()
