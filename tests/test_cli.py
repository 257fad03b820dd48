"""The command line, in a folder of its own; where it serves, as a process of its own."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.__main__ import build_parser, main
from bot.config import SETTINGS

ROOT = Path(__file__).parents[1]
SECONDS = 60.0

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def shop_folder(tmp_path: Path) -> Path:
    """A folder with what a shop's owner writes, and nothing else."""
    shutil.copy(ROOT / "business.yml", tmp_path)
    shutil.copy(ROOT / "catalogue.yml", tmp_path)
    shutil.copytree(ROOT / "data" / "knowledge", tmp_path / "data" / "knowledge")
    return tmp_path


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """For the sockets of wake-ups, whose paths may have 100 bytes at most."""
    folder = Path(tempfile.mkdtemp(prefix="kasuki-test-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def run(shop_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Runs a command here, with these settings and no others: exit status, standard output and standard error."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    monkeypatch.chdir(shop_folder)
    # Written by the commands that serve; so it is put back.
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", os.environ.get("PROMETHEUS_MULTIPROC_DIR", ""))

    def run_here(*arguments: str, **settings: str) -> tuple[int, str, str]:
        for name in SETTINGS:
            monkeypatch.delenv(name, raising=False)
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        status = main(arguments)
        return status, *capsys.readouterr()

    yield run_here
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)


def start(folder: Path, *arguments: str, **settings: str) -> subprocess.Popen[str]:
    inherited = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    return subprocess.Popen(
        [sys.executable, "-m", "bot", *arguments],
        cwd=folder,
        env={**inherited, "PYTHONPATH": str(ROOT), **settings},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def count(folder: Path, table: str) -> int:
    with contextlib.closing(sqlite3.connect(folder / "var" / "kasuki.db")) as connection:
        return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - our own names


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(url: str, body: object = None, **headers: str) -> tuple[int, bytes]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers)  # noqa: S310 - our own server
    try:
        with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


@contextlib.contextmanager
def running_gateways(folder: Path, sockets: Path, count: int) -> Iterator[list[tuple[str, subprocess.Popen[str]]]]:
    """Gateways that answer; their addresses and processes. Told to stop at the end."""
    ports = [free_port() for _ in range(count)]
    settings = {"DEMO": "1", "TMPDIR": str(sockets)}
    gateways = [(f"http://127.0.0.1:{port}", start(folder, "gateway", PORT=str(port), **settings)) for port in ports]
    try:
        for url, process in gateways:
            wait_for(url, process)
        yield gateways
    finally:
        for _, process in gateways:
            if process.poll() is None:
                process.terminate()
        for _, process in gateways:
            process.communicate(timeout=SECONDS)


def wait_for(url: str, process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError):
            if get(f"{url}/healthz")[0] == 200:
                return
        time.sleep(0.02)
    process.kill()
    raise AssertionError(process.communicate()[1])


# check


def test_check_names_every_fault_of_the_settings_at_once(run, shop_folder):
    (shop_folder / "business.yml").write_text("name: x\ncurrency: euro\n")

    status, out, err = run("check", PORT="80800", LOG_FORMAT="xml", DATABASE_URL="mysql://db")

    assert (status, out) == (2, "")
    lines = err.splitlines()
    assert lines[0] == "Kasuki cannot start:"
    for fault in ("PORT: ", "LOG_FORMAT: ", "DATABASE_URL: ", "currency", "opening_hours", "contact"):
        assert sum(fault in line for line in lines) >= 1, fault
    assert "Traceback" not in err


def test_check_names_the_faults_of_database_and_model_together(run):
    status, out, err = run("check")

    assert (status, out) == (1, "")
    assert "python -m bot migrate" in err
    assert "make train" in err
    assert len(err.splitlines()) == 2


def test_check_names_the_faults_of_the_content(run, shop_folder):
    (shop_folder / "data" / "knowledge" / "more.yml").write_text(
        "- {id: parking, title: Again, ask: [where], answer: '{nothing}'}"
    )
    (shop_folder / "catalogue.yml").write_text("- {sku: A, name: Mug}")

    status, _, err = run("check")

    assert status == 1
    assert "more.yml" in err
    assert "parking" in err
    assert "{nothing}" in err
    assert "catalogue.yml" in err


def test_check_says_that_the_database_does_not_answer_without_its_password(run):
    url = f"postgresql://kasuki:sekret@127.0.0.1:{free_port()}/kasuki"

    status, _, err = run("check", DATABASE_URL=url)

    assert status == 1
    assert "DATABASE_URL" in err
    assert "sekret" not in err
    assert "Traceback" not in err


def test_check_says_that_a_damaged_model_is_none(run, shop_folder):
    (shop_folder / "model.tar.gz").write_bytes(b"not a model")

    status, _, err = run("check", MODEL_PATH="model.tar.gz")

    assert status == 1
    assert "model.tar.gz cannot be read" in err


def test_check_is_content_when_nothing_is_wrong(run):
    model = ROOT / "models" / "kasuki.tar.gz"
    if not model.exists():
        pytest.skip("there is no trained model")
    run("migrate")

    status, out, err = run("check", MODEL_PATH=str(model))

    assert (status, err) == (0, "")
    assert "are fine" in out


# migrate and demo


def test_migrate_can_be_repeated(run, shop_folder):
    first, second = run("migrate"), run("migrate")

    assert first == second
    assert first[0] == 0
    assert count(shop_folder, "messages") == 0


def test_demo_loads_an_empty_database_once(run, shop_folder):
    status, out, _ = run("demo")
    assert status == 0
    assert f"Loaded {count(shop_folder, 'customers')} customers" in out
    orders = count(shop_folder, "orders")
    assert count(shop_folder, "customers") > 200
    assert orders > 200

    status, out, _ = run("demo")
    assert status == 0
    assert "nothing was loaded" in out
    assert count(shop_folder, "orders") == orders


# ledger


def test_ledger_check_names_every_account_that_does_not_add_up(run, shop_folder):
    run("demo")
    assert run("ledger", "check")[:2] == (0, "Every account of points adds up.\n")

    with sqlite3.connect(shop_folder / "var" / "kasuki.db") as database:
        (john,) = database.execute("SELECT id FROM customers WHERE external_id = 'C-1002'").fetchone()
        database.execute(
            "UPDATE ledger_open SET remaining = remaining - 1 WHERE customer_id = ? AND points = 50", [john]
        )

    status, out, err = run("ledger", "check")
    assert (status, out) == (1, "")
    assert err == f"  - account {john}: its entries sum to 80, but 79 are open\n"


def test_ledger_check_of_a_database_without_tables_says_what_to_do(run):
    status, _, err = run("ledger", "check")

    assert status == 2
    assert "run `python -m bot migrate`" in err


# customer


def test_a_customers_data_are_handed_out_and_erased(run, monkeypatch):
    run("demo")
    monkeypatch.setattr("sys.stdin", io.StringIO())  # nobody to ask

    status, out, _ = run("customer", "export", "john@example.com")
    assert (status, len(json.loads(out)["orders"])) == (0, 2)
    assert "Nothing was erased" in run("customer", "erase", "C-1003")[2]
    assert run("customer", "erase", "C-1003", "--yes")[0] == 0
    status, _, err = run("customer", "erase", "C-1001", "--yes")
    assert (status, "an order is open (TC-10002, TC-10003)" in err) == (1, True)
    assert run("customer", "export", "C-9999")[0] == 1


# serve, gateway, worker


def test_serving_without_a_model_says_what_to_do(shop_folder):
    process = start(shop_folder, "serve", DEMO="1", PORT=str(free_port()))
    out, err = process.communicate(timeout=SECONDS)

    assert (process.returncode, out) == (2, "")
    assert "There is no model at models/kasuki.tar.gz: run `make train`." in err
    assert "Traceback" not in err


def test_a_worker_without_a_model_says_what_to_do(run):
    status, _, err = run("worker", DEMO="1")

    assert status == 2
    assert "There is no model at models/kasuki.tar.gz: run `make train`." in err


def test_without_its_secrets_it_names_all_of_them(run):
    status, _, err = run("gateway")

    assert status == 2
    assert all(name in err for name in ("SECRET_KEY", "IDENTITY_SECRET", "API_KEY"))


def test_a_port_that_is_taken_is_named(run):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        status, _, err = run("gateway", DEMO="1", PORT=str(port))

    assert status == 2
    assert f"127.0.0.1:{port}" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("arguments", [(), ("dance",), ("serve", "--colour", "red"), ("check", "--port", "1")], ids=str)
def test_a_command_that_does_not_exist_is_refused_with_the_usage(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        build_parser().parse_args(arguments)

    assert stopped.value.code == 2
    assert "usage: python -m bot" in capsys.readouterr().err


def test_an_option_wins_over_the_environment_and_is_checked_like_it(run):
    status, _, err = run("gateway", "--port", "x1", DEMO="1", PORT="8080")

    assert status == 2
    assert "PORT: 'x1'" in err


def test_gateways_of_one_machine_share_their_metrics_and_stop_when_told(run, shop_folder, short_folder):
    run("migrate")
    hello = {"type": "hello", "visitor_token": None, "identity_token": None, "last_seq": 0}
    message = {"type": "message", "client_id": "00000000-0000-4000-8000-00000000000%d", "text": "hi"}

    with running_gateways(shop_folder, short_folder, 2) as ((one, first), (two, second)):
        token = json.loads(get(f"{one}/chat/messages", hello)[1])["visitor_token"]
        for number, url in enumerate((one, two, two)):
            body = {**message, "client_id": message["client_id"] % number}
            assert get(f"{url}/chat/messages", body, Authorization=f"Bearer {token}")[0] == 200
        assert get(f"{one}/webhooks/rest/webhook", {"sender": "a", "message": "hi"})[0] == 401
        assert get(f"{one}/readyz")[0] == 503
        pages = [get(f"{url}/metrics")[1].decode() for url in (one, two)]
        first.send_signal(signal.SIGTERM)
        second.send_signal(signal.SIGINT)
        assert (first.wait(SECONDS), second.wait(SECONDS)) == (0, 0)

    for page in pages:
        assert 'kasuki_messages_received_total{channel="web"} 3.0' in page
        assert 'kasuki_refusals_total{code="unauthorized"} 1.0' in page
        assert 'kasuki_record_seconds_count{channel="web"} 3.0' in page
    assert count(shop_folder, "messages") == 3
    assert list((shop_folder / "var" / "metrics").glob("*.db"))


def test_a_gateway_on_a_database_without_tables_is_not_ready_and_does_not_crash(shop_folder, short_folder):
    with running_gateways(shop_folder, short_folder, 1) as ((url, _),):
        assert get(f"{url}/readyz")[0] == 503
        status, body = get(f"{url}/chat/messages", {"type": "hello"})
        assert (status, json.loads(body)["code"]) == (503, "unavailable")
        assert get(f"{url}/healthz")[0] == 200
