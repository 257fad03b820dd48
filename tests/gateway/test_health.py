"""Is it alive, is it ready."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.services.ports import WorkerState
from tests.gateway.conftest import broken_database


async def get(gateway, path: str) -> tuple[int, dict]:
    async with gateway.session.get(gateway.url + path) as response:
        return response.status, await response.json()


async def report(gateway, worker_id: str, *, model: str | None = "model-1", ago: timedelta = timedelta()) -> None:
    now = gateway.clock.now()
    async with gateway.store.transaction() as work:
        await work.workers.report(WorkerState(worker_id, now, now - ago, model))


async def test_it_is_alive_whatever_the_database_does(gateway):
    gateway.db.error = broken_database()

    assert await get(gateway, "/healthz") == (200, {"status": "alive"})


async def test_it_is_not_ready_without_a_worker(gateway):
    status, body = await get(gateway, "/readyz")

    assert (status, body["status"]) == (503, "starting")
    assert "worker" in body["reason"]


@pytest.mark.parametrize(
    "changes", [{"model": None}, {"ago": timedelta(minutes=1)}], ids=["without a model", "not seen for a minute"]
)
async def test_it_is_not_ready_with_a_worker(gateway, changes):
    await report(gateway, "w1", **changes)

    assert (await get(gateway, "/readyz"))[0] == 503


async def test_it_is_ready_with_a_worker_that_holds_a_model(gateway):
    await report(gateway, "w1")
    await report(gateway, "w2")
    await report(gateway, "w3", model=None)

    assert await get(gateway, "/readyz") == (200, {"status": "ready", "workers": 2, "models": ["model-1"]})


@pytest.mark.parametrize("error", [broken_database(), TimeoutError(), RuntimeError("a driver's")], ids=repr)
async def test_it_is_not_ready_when_the_database_does_not_answer(gateway, error):
    await report(gateway, "w1")
    gateway.db.error = error

    status, body = await get(gateway, "/readyz")

    assert (status, body["status"]) == (503, "unavailable")
    assert "database" in body["reason"]


async def test_metrics_are_prometheus_text(gateway):
    async with gateway.session.get(f"{gateway.url}/metrics") as response:
        assert response.status == 200
        assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
