"""Runs hypothesis's state machines on one of our databases."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from tests.storage.databases import open_database


class DatabaseMachine(RuleBasedStateMachine):
    """A machine whose steps work on `db`, in a loop of its own."""

    loop: ClassVar[asyncio.AbstractEventLoop]
    db: ClassVar[Any]


def run_on_database(machine: type[DatabaseMachine], url: str, *, examples: int, steps: int) -> None:
    """Run so many sequences of so many steps on the database at the address."""
    loop, db = asyncio.new_event_loop(), open_database(url)
    here = type(machine.__name__, (machine,), {"loop": loop, "db": db})
    try:
        run_state_machine_as_test(
            here,
            settings=settings(
                max_examples=examples,
                stateful_step_count=steps,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
    finally:
        loop.run_until_complete(db.close())
        loop.close()
