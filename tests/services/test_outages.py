"""A platform that is away for an hour while many are waiting: everything comes, in order, once, and in no flood."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta

from bot.core.channels import TELEGRAM
from bot.core.rate_buckets import Rate
from bot.services.channel_ports import Capabilities, ChannelDown
from bot.services.courier import Pace, Route, deliver_next
from tests.fakes import FakeClock
from tests.services.test_courier import Platform, a_talk, say

EVERYBODY, ONE = Rate(10, 10), Rate(1, 2)
PEOPLE, MESSAGES = 12, 4


class Time:
    """A steady clock and a calendar that go together, moved on by sleeping."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.clock.advance(seconds=seconds)


class Away(Platform):
    """A platform that is away until it is back, and notes when it was sent what."""

    capabilities = Capabilities(40, 20, 3, 12, EVERYBODY, ONE)

    def __init__(self, time: Time) -> None:
        super().__init__()
        self.time = time
        self.is_away = True
        self.at: list[tuple[float, str]] = []

    async def send(self, address, part):
        if self.is_away:
            raise ChannelDown("away")
        await super().send(address, part)
        self.at.append((self.time.now, address))

    async def probe(self):
        if self.is_away:
            raise ChannelDown("away")


async def test_after_an_hour_away_everything_comes_in_order_once_and_no_faster_than_usual(sql_db):
    time = Time()
    platform = Away(time)
    routes = {TELEGRAM: Route(platform, Pace(platform.capabilities, time, time.sleep))}
    talks = [await a_talk(sql_db, str(1_001 + number)) for number in range(PEOPLE)]

    async def deliver_for(span: timedelta, step: float) -> None:
        until = time.now + span.total_seconds()
        while time.now < until:
            while await deliver_next(sql_db, time.clock, routes) is not None:
                pass
            await time.sleep(step)

    for number in range(MESSAGES):
        for talk in talks:
            await say(sql_db, talk, f"message {number}")
        await deliver_for(timedelta(minutes=15), 60)
    assert platform.sent == []
    platform.is_away = False
    await deliver_for(timedelta(minutes=10), 1)

    by_person = defaultdict(list)
    for address, text in platform.sent:
        by_person[address].append(text)
    assert len(by_person) == PEOPLE
    assert all(texts == [f"message {number}" for number in range(MESSAGES)] for texts in by_person.values())
    times = [at for at, _ in platform.at]
    for at in times:
        assert sum(at <= other < at + 1 for other in times) <= EVERYBODY.at_once + EVERYBODY.per_second
    for address in by_person:
        mine = [at for at, who in platform.at if who == address]
        for at in mine:
            assert sum(at <= other < at + 1 for other in mine) <= ONE.at_once + ONE.per_second
