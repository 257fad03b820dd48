"""Waiting for so long at most: what happens meanwhile is told, and being told to stop is never forgotten."""

from __future__ import annotations

import asyncio

import pytest

from bot.waits import finish_within, set_within


async def test_what_is_set_is_told_at_once_and_what_is_not_when_the_time_is_over():
    event = asyncio.Event()

    assert not await set_within(event, 0.01)
    asyncio.get_running_loop().call_soon(event.set)
    assert await set_within(event, 60)
    assert await set_within(event, -1)


@pytest.mark.parametrize("steps_between", range(5))
async def test_a_loop_that_is_cancelled_in_the_moment_that_it_is_woken_ends(steps_between):
    event, rounds = asyncio.Event(), 0

    async def loop():
        nonlocal rounds
        while True:
            rounds += 1
            await set_within(event, 60)
            event.clear()

    task = asyncio.create_task(loop())
    await _steps(3)
    event.set()
    await _steps(steps_between)
    task.cancel()

    done, _ = await asyncio.wait({task}, timeout=5)
    assert done and task.cancelled()
    assert rounds in (1, 2)


async def test_what_is_done_in_time_is_its_result_and_what_goes_wrong_is_raised():
    async def divide(by):
        await asyncio.sleep(0)
        return 6 / by

    assert await finish_within(divide(2), 60) == 3
    with pytest.raises(ZeroDivisionError):
        await finish_within(divide(0), 60)


async def test_what_takes_too_long_is_cancelled_before_that_is_said():
    cleaned = []

    async def endless():
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.append(True)

    with pytest.raises(asyncio.TimeoutError):
        await finish_within(endless(), 0.01)
    assert cleaned == [True]


async def _steps(number):
    for _ in range(number):
        await asyncio.sleep(0)
