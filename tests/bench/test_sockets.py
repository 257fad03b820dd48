"""The benchmark of sockets, small: a real gateway, and customers in a process of their own."""

from __future__ import annotations

import pytest

from bench.sockets import Plan, measure, report


@pytest.mark.slow
def test_a_few_sockets_are_opened_talked_on_and_measured() -> None:
    plan = Plan(idle=10, talking=3, seconds=3.0, warm_up=2, settle_seconds=0.2)

    measured = measure(plan)

    for talk in (measured.alone, measured.beside_idle):
        assert len(talk.milliseconds) >= 3
        assert talk.lost == 0
        assert 0 < min(talk.milliseconds)
    assert measured.memory_idle_mb > 20
    assert measured.opened_per_second > 0
    assert "3 talking, 10 idle" in report(measured, plan)
