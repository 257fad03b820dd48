"""The benchmark of the desk at scale, small: a year of chats is filled in, and everything is asked and timed."""

from __future__ import annotations

import pytest

from bench.desk_scale import build_parser, report, run
from bench.desk_scale_data import Sizes
from bench.report import describe_machine


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_small_year_is_filled_in_asked_and_shown(kind):
    options = build_parser().parse_args(["--databases", kind, "--conversations", "300", "--times", "1"])

    found = run(options)

    asked = {row["question"]: row for row in found[kind]}
    assert {"list: queue", "search: an e-mail address", "open: of a customer", "report of 90 days"} <= asked.keys()
    assert all(0 < row["p50"] <= row["p95"] for row in asked.values())
    assert "| report of 90 days " in report(describe_machine(), found, Sizes(conversations=300))
