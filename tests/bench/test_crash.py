"""The crash benchmark, small: kills of real processes while customers write."""

from __future__ import annotations

import pytest

from bench.crash import Plan, run_crash


@pytest.mark.slow
@pytest.mark.model
@pytest.mark.timeout(300)
async def test_killing_a_worker_and_the_gateway_loses_nothing_and_doubles_nothing() -> None:
    plan = Plan("sqlite", "serve", messages=8, conversations=2, worker_kills=1, gateway_kills=1, patience_seconds=80)

    outcome = await run_crash(plan)

    assert sorted(kill.what for kill in outcome.kills) == ["gateway", "worker"]
    assert outcome.audit.findings == []
    assert outcome.audit.sent == outcome.audit.acknowledged == outcome.audit.answered_once == 8
    assert outcome.is_clean
