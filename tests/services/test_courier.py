"""The courier: everything once and in order, whatever the platform does, and no faster than it likes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.channels import TELEGRAM
from bot.core.conversations import Author, Choice, Image
from bot.core.handoffs import Stage
from bot.core.rate_buckets import Rate
from bot.services.channel_ports import (
    Capabilities,
    ChannelBlocked,
    ChannelBusy,
    ChannelDown,
    ChannelRefused,
    ChannelUnsure,
)
from bot.services.courier import LEASE, Pace, Route, deliver_next, in_parts
from tests.builders import a_conversation, a_message, an_identity, stored_conversation
from tests.fakes import FakeClock
from tests.services.desk import ANA, add_agents, ask, open_always, stage

FAST = Rate(1_000, 1_000)
CAPABILITIES = Capabilities(40, 20, 3, 12, FAST, FAST)
HOUR = timedelta(hours=1)


class Platform:
    """A channel that remembers what it took; `moods` come true one after the other, None for a good one."""

    name = TELEGRAM
    capabilities = CAPABILITIES

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []
        self.moods: list[Exception | None] = []
        self.parts = []

    async def send(self, address, part):
        await asyncio.sleep(0)
        if self.moods and (mood := self.moods.pop(0)) is not None:
            raise mood
        self.sent.append((address, part.text))
        self.parts.append(part)

    async def indicate(self, address):
        pass

    async def probe(self):
        if self.moods and isinstance(self.moods[0], ChannelDown):
            raise self.moods.pop(0)


class Steady:
    """A steady clock that sleeping moves on."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def platform():
    return Platform()


@pytest.fixture
def steady():
    return Steady()


@pytest.fixture
def routes(platform, steady):
    return {TELEGRAM: Route(platform, Pace(CAPABILITIES, steady, steady.sleep))}


@pytest.fixture
async def talk(sql_db):
    return await a_talk(sql_db, "1001")


async def a_talk(db, address):
    identity = an_identity(channel=TELEGRAM, external_id=address)
    conversation = a_conversation(identity)
    async with db.transaction() as work:
        await work.customers.add_identity(identity)
        await work.conversations.add(conversation)
    return conversation


async def say(db, talk, *texts, **changes):
    async with db.transaction() as work:
        conversation = await work.conversations.lock(talk.id)
        for seq, text in enumerate(texts, conversation.last_seq + 1):
            message = a_message(talk, seq=seq, text=text, **{"author": Author.BOT, **changes})
            await work.messages.add(message, channel=talk.channel)
        await work.conversations.save(replace(conversation, last_seq=seq))


async def deliver_all(db, clock, routes):
    found = []
    while (delivery := await deliver_next(db, clock, routes)) is not None:
        found.append(delivery)
    return found


async def test_what_is_said_goes_out_in_order_and_once(sql_db, clock, routes, platform, talk):
    await say(sql_db, talk, "one", "two")
    await say(sql_db, talk, "and my order?", author=Author.CUSTOMER)
    await say(sql_db, talk, "three")

    await deliver_all(sql_db, clock, routes)
    assert await deliver_next(sql_db, clock, routes) is None
    await say(sql_db, talk, "four")
    await deliver_all(sql_db, clock, routes)

    assert platform.sent == [("1001", text) for text in ("one", "two", "three", "four")]


async def test_a_long_list_goes_out_whole(sql_db, clock, routes, platform, talk):
    texts = [f"line {number}" for number in range(45)]
    await say(sql_db, talk, *texts)

    await deliver_all(sql_db, clock, routes)

    assert [text for _, text in platform.sent] == texts


async def test_conversations_on_the_website_are_nobodys_to_deliver(sql_db, clock, routes, platform):
    await say(sql_db, await stored_conversation(sql_db), "hello")

    assert await deliver_next(sql_db, clock, routes) is None


async def test_a_platform_that_is_away_for_an_hour_gets_everything_afterwards_in_order_and_once(
    sql_db, routes, platform, talk
):
    clock, tries = FakeClock(), 0
    platform.moods = [ChannelDown("away")] * 1_000
    await say(sql_db, talk, "one", "two")
    for minute in range(60):
        await deliver_all(sql_db, clock, routes)
        clock.advance(minutes=1)
        if minute == 30:
            await say(sql_db, talk, "three")
    tries = 1_000 - len(platform.moods)
    platform.moods = []
    clock.advance(minutes=5)
    await deliver_all(sql_db, clock, routes)

    # A second, two, four … and then every five minutes at the latest.
    assert 12 <= tries <= 30
    assert [text for _, text in platform.sent] == ["one", "two", "three"]


async def test_one_conversation_that_cannot_be_told_holds_up_no_other(sql_db, clock, routes, platform, talk):
    other = await a_talk(sql_db, "2002")
    await say(sql_db, talk, "one")
    await say(sql_db, other, "two")
    platform.moods = [ChannelDown("away")]

    await deliver_all(sql_db, clock, routes)
    assert platform.sent == [("2002", "two")]
    clock.advance(minutes=1)
    await deliver_all(sql_db, clock, routes)
    assert platform.sent == [("2002", "two"), ("1001", "one")]


async def test_whom_the_platform_wants_a_pause_for_waits_and_the_others_a_moment(
    sql_db, clock, routes, platform, talk, steady
):
    await say(sql_db, talk, "one")
    platform.moods = [ChannelBusy(120)]
    (delivery,) = await deliver_all(sql_db, clock, routes)
    assert delivery.seq == 0

    await say(sql_db, await a_talk(sql_db, "2002"), "two")
    await deliver_all(sql_db, clock, routes)
    assert platform.sent == [], "everybody pauses for a moment"
    steady.now += 6
    clock.advance(seconds=6)
    await deliver_all(sql_db, clock, routes)
    assert platform.sent == [("2002", "two")]
    clock.advance(seconds=120)
    await deliver_all(sql_db, clock, routes)

    assert platform.sent == [("2002", "two"), ("1001", "one")]


@pytest.mark.parametrize("trouble", [ChannelDown("away"), ChannelBusy(2), ChannelUnsure("timed out")])
async def test_what_was_sent_before_the_trouble_is_not_sent_again(
    sql_db, clock, routes, platform, talk, steady, trouble
):
    await say(sql_db, talk, "one", "Two in several parts of words. And a last part of it.", "three")
    platform.moods = [None, None, trouble]
    for _ in range(5):
        await deliver_all(sql_db, clock, routes)
        clock.advance(seconds=10)
        steady.now += 10

    said = ["one", "Two in several parts of words.", "And a last part of it.", "three"]
    # The part of which nobody knows counts as sent.
    assert [text for _, text in platform.sent] == [
        one for one in said if one != said[2] or type(trouble) is not ChannelUnsure
    ]


async def test_a_part_of_which_nobody_knows_is_not_sent_again_and_the_rest_waits(sql_db, clock, routes, platform, talk):
    await say(sql_db, talk, "one", "two", "three")
    platform.moods = [ChannelUnsure("timed out"), ChannelDown("still away"), ChannelDown("still away")]
    await deliver_all(sql_db, clock, routes)
    for _ in range(3):
        clock.advance(seconds=10)
        await deliver_all(sql_db, clock, routes)

    assert [text for _, text in platform.sent] == ["two", "three"]
    async with sql_db.reading() as work:
        delivery = await work.deliveries.get(talk.id)
    assert (delivery.seq, delivery.attempts, delivery.last_error) == (3, 0, None)


async def test_one_who_writes_a_lot_does_not_hold_the_courier(sql_db, clock, platform, steady, talk):
    slow = replace(CAPABILITIES, to_one=Rate(1, 1))
    routes = {TELEGRAM: Route(platform, Pace(slow, steady, steady.sleep))}
    await say(sql_db, talk, *(f"{number}" for number in range(20)))
    await say(sql_db, await a_talk(sql_db, "2002"), "me too")

    before = steady.now
    await deliver_next(sql_db, clock, routes)
    assert steady.now - before <= 3
    while steady.now < 60:
        clock.advance(seconds=1)
        steady.now += 1
        await deliver_all(sql_db, clock, routes)

    assert ("2002", "me too") in platform.sent[:8]
    assert [text for address, text in platform.sent if address == "1001"] == [f"{number}" for number in range(20)]


async def test_whoever_stops_us_in_the_middle_hears_nothing_more(sql_db, clock, routes, platform, talk):
    await say(sql_db, talk, "one", "two", "three")
    send = platform.send

    async def send_and_be_stopped(address, part):
        await send(address, part)
        async with sql_db.transaction() as work:
            await work.deliveries.stop(TELEGRAM, "1001", clock.now())

    platform.send = send_and_be_stopped
    await deliver_all(sql_db, clock, routes)

    assert [text for _, text in platform.sent] == ["one"]
    async with sql_db.reading() as work:
        assert (await work.deliveries.get(talk.id)).stopped_at == clock.now()


async def test_a_courier_that_was_too_slow_changes_nothing_any_more(sql_db, clock, routes, platform, talk):
    await say(sql_db, talk, "one", "two")
    send = platform.send

    async def send_slowly(address, part):
        platform.send = send
        clock.advance(seconds=LEASE.total_seconds() + 1)
        await deliver_next(sql_db, clock, routes)
        await send(address, part)

    platform.send = send_slowly
    await deliver_all(sql_db, clock, routes)

    # The second one has told everything; the first one's part is the only one twice.
    assert [text for _, text in platform.sent] == ["one", "two", "one"]


async def test_told_to_stop_it_ends_after_the_part_that_is_on_its_way(sql_db, clock, routes, platform, talk):
    await say(sql_db, talk, "one", "two")
    await deliver_next(sql_db, clock, routes, should_stop=lambda: len(platform.sent) == 1)
    assert [text for _, text in platform.sent] == ["one"]

    await deliver_all(sql_db, clock, routes)
    assert [text for _, text in platform.sent] == ["one", "two"]


async def test_whoever_blocks_us_hears_nothing_more(sql_db, clock, routes, platform, talk):
    await say(sql_db, talk, "one", "two")
    platform.moods = [ChannelBlocked("blocked by the user")]
    (delivery,) = await deliver_all(sql_db, clock, routes)
    assert delivery.stopped_at == clock.now()

    await say(sql_db, talk, "three")
    clock.advance(hours=2)
    assert await deliver_all(sql_db, clock, routes) == []
    assert platform.sent == []


async def test_whoever_blocks_us_waits_for_nobody(sql_db, clock, shop, routes, platform, talk):
    await add_agents(sql_db, ANA)
    await ask(sql_db, clock, open_always(shop), talk)
    await say(sql_db, talk, "Ana will be with you soon.")
    platform.moods = [ChannelBlocked("blocked by the user")]

    await deliver_all(sql_db, clock, routes)

    assert await stage(sql_db, talk) is Stage.RESOLVED
    assert await deliver_all(sql_db, clock, routes) == []


async def test_what_a_platform_will_never_take_holds_up_nothing(sql_db, clock, routes, platform, talk, caplog):
    await say(sql_db, talk, "one", "two")
    platform.moods = [ChannelRefused("BUTTON_DATA_INVALID")]

    await deliver_all(sql_db, clock, routes)

    assert platform.sent == [("1001", "two")]
    assert "BUTTON_DATA_INVALID" in caplog.text


async def test_a_courier_that_dies_is_followed_by_one_who_goes_on_where_it_was(sql_db, clock, routes, platform, talk):
    await say(sql_db, talk, "A first part of the words. " * 2 + "And a last one.", "two")
    platform.moods = [None, KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        await deliver_next(sql_db, clock, routes)
    assert await deliver_next(sql_db, clock, routes) is None, "it is leased"

    clock.advance(seconds=LEASE.total_seconds() + 1)
    await deliver_all(sql_db, clock, routes)

    said = [text for _, text in platform.sent]
    assert said == ["A first part of the words.", "A first part of the words.", "And a last one.", "two"]


async def test_what_is_said_while_something_is_delivered_is_not_forgotten(sql_db, clock, routes, platform, talk):
    await say(sql_db, talk, "one")
    send = platform.send

    async def send_and_hear_more(address, part):
        if part.text == "one":
            await say(sql_db, talk, "two")
        await send(address, part)

    platform.send = send_and_hear_more
    await deliver_all(sql_db, clock, routes)

    assert [text for _, text in platform.sent] == ["one", "two"]


async def test_several_couriers_at_once_deliver_everything_once(sql_db, clock, routes, platform):
    talks = [await a_talk(sql_db, f"{number}") for number in range(8)]
    for talk in talks:
        await say(sql_db, talk, "one", "two", "three")

    await asyncio.gather(*(deliver_all(sql_db, clock, routes) for _ in range(5)))

    for talk in range(8):
        assert [text for address, text in platform.sent if address == f"{talk}"] == ["one", "two", "three"]


async def test_choices_are_buttons_whose_tokens_stay_the_same(sql_db, clock, routes, platform, talk):
    choices = (Choice("Yes", '/affirm{"of": "a"}'), Choice("No", "/deny"))
    await say(sql_db, talk, "Shall I?", choices=choices)
    platform.moods = [ChannelDown("away")]
    await deliver_all(sql_db, clock, routes)
    async with sql_db.transaction() as work:
        before = await work.deliveries.tokens_of(talk.id, 1, choices)
    clock.advance(minutes=1)
    await deliver_all(sql_db, clock, routes)

    (part,) = platform.parts
    assert [button.title for button in part.buttons] == ["Yes", "No"]
    assert [button.token for button in part.buttons] == before
    assert len(set(before)) == 2 and all(len(token) <= 24 for token in before)
    async with sql_db.reading() as work:
        assert await work.deliveries.choice_of(talk.id, before[0]) == choices[0].payload
        assert await work.deliveries.choice_of((await a_talk(sql_db, "2002")).id, before[0]) is None


async def test_nobody_is_written_to_faster_than_the_platform_likes(steady):
    capabilities = Capabilities(40, 20, 3, 12, to_everybody=Rate(10, 10), to_one=Rate(1, 2))
    pace = Pace(capabilities, steady, steady.sleep)

    async def wait_for_turn(address):
        while (wait := pace.take_turn(address)) > 0:
            await steady.sleep(wait)

    for _ in range(6):
        await wait_for_turn("1001")
    assert steady.now == pytest.approx(4)

    for number in range(30):
        await wait_for_turn(f"other {number}")
    assert steady.now == pytest.approx(6.1)


# Parts


async def a_line(sql_db, text="Hello", **changes):
    return a_message(await stored_conversation(sql_db), author=Author.BOT, text=text, **changes)


@pytest.mark.parametrize(
    ("choices", "capabilities"),
    [
        ([f"Choice {number}" for number in range(4)], CAPABILITIES),
        (["A title that is too long"], CAPABILITIES),
        (["Yes"], Capabilities(400, 20, 0, 0, FAST, FAST)),
    ],
)
async def test_choices_that_are_no_buttons_are_a_numbered_list(fake_db, choices, capabilities):
    line = await a_line(fake_db, choices=tuple(Choice(title, f"/{title}") for title in choices))

    parts = in_parts(line, capabilities, ())

    assert not any(part.buttons for part in parts)
    said = "\n".join(part.text for part in parts)
    for number, title in enumerate(choices, 1):
        assert f"{number}. {title}" in said


async def test_a_picture_has_a_short_text_as_its_caption_and_follows_a_long_one(fake_db):
    image = Image("https://shop.example/code.png", "QR code of your reward")
    short = in_parts(await a_line(fake_db, "Yours!", image=image), CAPABILITIES, ())
    long = in_parts(await a_line(fake_db, "A text that is too long for it.", image=image), CAPABILITIES, ())

    assert [(part.text, part.image) for part in short] == [("Yours!", image)]
    assert [(part.text, part.image) for part in long] == [
        ("A text that is too long for it.", None),
        (image.alt, image),
    ]


async def test_a_person_is_named(fake_db):
    line = await a_line(fake_db, "I am on it.", author_name="Ana")

    assert [part.text for part in in_parts(replace(line, author=Author.AGENT), CAPABILITIES, ())] == [
        "Ana: I am on it."
    ]
