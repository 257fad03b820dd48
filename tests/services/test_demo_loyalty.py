"""The demo's points, levels and stamps: as documentation has them, on whatever date it is loaded."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from bot.business import load_business
from bot.core.ledger import Balance, EntryKind, expiring
from bot.core.punch_cards import StampKind
from bot.core.vouchers import VoucherKind
from bot.gateway.links import SignedLinks
from bot.services import demo_data
from bot.services.demo_data import CROWD, load_demo
from bot.services.demo_loyalty import Moment, Story
from bot.services.earning import settle_order, tier_of
from bot.services.expiry_warnings import warn_of_expiring_points
from bot.services.ledger import balance_of
from bot.services.punch_cards import cards_of
from bot.services.vouchers import vouchers_of
from tests.builders import NOW, a_shop
from tests.fakes import FakeClock
from tests.services.mails import sent_mails
from tests.storage.databases import open_database, run

SHOP = load_business(Path(__file__).parents[2] / "business.yml").to_shop()
DAY = timedelta(days=1)


async def figures(db, clock, external_id):
    """Points, level, and stamps."""
    async with db.reading() as work:
        assert await work.ledger.faults() == []
        customer = await work.customers.by_external_id(external_id)
        balance = await balance_of(work, clock, customer.id)
        tier = (await tier_of(work, clock, SHOP, customer.id)).tier
        (card,) = await cards_of(work, SHOP, customer.id)
        return balance, tier.id, (card.stamps, card.card.stamps)


async def history(db, external_id):
    """The customer's entries, oldest first."""
    async with db.reading() as work:
        customer = await work.customers.by_external_id(external_id)
        return list(reversed(await work.ledger.page(customer.id, before=None, limit=100)))


@pytest.fixture(scope="module")
def _loaded(_empty_sqlite, tmp_path_factory):
    """A SQLite database with the demo, loaded once."""
    path = tmp_path_factory.mktemp("demo") / "kasuki.db"
    shutil.copyfile(_empty_sqlite, path)

    async def load():
        db = open_database(f"sqlite:///{path}")
        await load_demo(db, FakeClock(), SHOP)
        await db.close()

    run(load())
    return path


@pytest.fixture
async def demo(_loaded, tmp_path):
    shutil.copyfile(_loaded, tmp_path / "kasuki.db")
    db = open_database(f"sqlite:///{tmp_path / 'kasuki.db'}")
    yield db
    await db.close()


@pytest.fixture
def _small_crowd(monkeypatch):
    monkeypatch.setattr(demo_data, "CROWD", 5)


async def test_the_fixed_people_have_what_documentation_says(sql_db, clock):
    await load_demo(sql_db, clock, SHOP)

    assert await figures(sql_db, clock, "C-1001") == (Balance(420), "silver", (7, 9))
    assert await figures(sql_db, clock, "C-1002") == (Balance(80), "bronze", (0, 9))
    assert await figures(sql_db, clock, "C-1003") == (Balance(0), "bronze", (0, 9))


async def test_what_the_fixed_people_have_has_a_history(demo, clock):
    maria, john = await history(demo, "C-1001"), await history(demo, "C-1002")
    assert [(entry.kind.value, entry.source) for entry in maria] == [
        *(("opening", "paper-card"), ("opening", "paper-card"), ("redeem", "parol-mug"), ("order", "TC-10001")),
        *(("order", "TC-10002"), ("order", "TC-10003")),
    ]
    assert [(entry.kind.value, entry.source, entry.points) for entry in john] == [
        *(("opening", "paper-card", 50), ("order", "TC-10011", 65), ("refund", "TC-10011", -65)),
        ("order", "TC-10010", 30),
    ]
    for entries in (maria, john):
        moments = [entry.at for entry in entries]
        assert moments == sorted(moments) and moments[-1] < clock.now()


async def test_some_of_marias_points_run_out_soon_and_her_mug_is_hers_already(demo, clock):
    async with demo.reading() as work:
        maria_id = (await work.customers.by_external_id("C-1001")).id
        lots, _ = await work.ledger.open_of(maria_id)
        soon, points = expiring(lots, clock.now())[0]
        assert (points, soon - clock.now()) == (80, 45 * DAY)
        assert await vouchers_of(work, clock, maria_id) == []
        (mug,) = await work.vouchers.of_customer(maria_id)
        assert (mug.kind, mug.name, mug.uses) == (VoucherKind.REWARD, "parol-mug", 1)


async def test_the_crowd_earned_spent_stamped_and_answered(demo, clock):
    async with demo.reading() as work:
        people = [await work.customers.by_external_id(f"C-{2001 + number}") for number in range(CROWD)]
        entries = [entry for one in people for entry in await work.ledger.page(one.id, before=None, limit=100)]
        orders = [order for one in people for order in await work.orders.of_customer(one.id)]
        answers = [answer for one in people for answer in await work.feedback.of_customer(one.id)]
        stamps = [sum((await work.stamps.balances(one.id)).values()) for one in people]

    earned = [entry.source for entry in entries if entry.kind is EntryKind.ORDER]
    assert sorted(earned) == sorted(order.number for order in orders)
    assert all(entry.at <= clock.now() for entry in entries)
    kinds = [entry.kind for entry in entries]
    assert kinds.count(EntryKind.REDEEM) >= 10
    assert sum(count > 0 for count in stamps) >= 20
    earning = [answer for answer in answers if answer.answered_at and answer.kind.value in ("csat", "nps", "review")]
    assert len(earning) >= 40
    assert kinds.count(EntryKind.FEEDBACK) == len(earning)


async def test_settling_the_demos_orders_again_changes_nothing_and_nobody_is_written_to(demo, clock):
    async with demo.transaction() as work:
        people = [*(f"C-{1001 + number}" for number in range(3)), *(f"C-{2001 + number}" for number in range(20))]
        for number in people:
            customer = await work.customers.by_external_id(number)
            before = await work.ledger.page(customer.id, before=None, limit=100)
            for order in await work.orders.of_customer(customer.id):
                await settle_order(work, clock, SHOP, order)
            assert await work.ledger.page(customer.id, before=None, limit=100) == before

    links = SignedLinks("http://localhost", "s" * 32, 24)
    assert await warn_of_expiring_points(demo, clock, SHOP, links) == 0
    assert await sent_mails(demo, clock) == []


@pytest.mark.parametrize(
    "now",
    [
        datetime(2028, 2, 29, 23, 30, tzinfo=timezone.utc),
        # Maria's mug is bought while mugs earn more.
        datetime(2027, 1, 20, 12, tzinfo=timezone.utc),
        datetime(2031, 3, 31, 0, 0, tzinfo=timezone.utc),
    ],
)
async def test_the_figures_are_the_same_on_any_date(sqlite_url, now, _small_crowd):
    db, clock = open_database(sqlite_url), FakeClock(now)
    await load_demo(db, clock, SHOP)

    assert await figures(db, clock, "C-1001") == (Balance(420), "silver", (7, 9))
    assert await figures(db, clock, "C-1002") == (Balance(80), "bronze", (0, 9))
    assert await figures(db, clock, "C-1003") == (Balance(0), "bronze", (0, 9))
    await db.close()


@pytest.mark.parametrize(
    "shop", [None, a_shop(), a_shop(loyalty=replace(SHOP.loyalty, earning=None, rewards=(), punch_cards=()))]
)
async def test_a_shop_with_less_of_a_programme_gets_the_demo_without_it(sqlite_url, clock, shop, _small_crowd):
    db = open_database(sqlite_url)

    assert await load_demo(db, clock, shop) == 5 + 3
    kinds = {entry.kind for entry in await history(db, "C-1001")}
    assert kinds == ({EntryKind.OPENING} if shop and shop.loyalty else set())
    await db.close()


async def test_marias_stamps_came_on_several_days(demo):
    async with demo.reading() as work:
        maria = await work.customers.by_external_id("C-1001")
        assert await work.stamps.balances(maria.id) == {"cups": 7}
        entries = [*await work.stamps.of_source("paper-card"), *await work.stamps.of_source("counter")]
    theirs = [(entry.kind, entry.stamps) for entry in entries if entry.customer_id == maria.id]
    assert theirs == [(StampKind.OPENING, 4), (StampKind.STAMP, 2), (StampKind.STAMP, 1)]


async def test_a_story_is_told_in_the_order_in_which_it_happened():
    story, told = Story(), []

    async def event(clock):
        told.append(clock.now())

    moments = [NOW, NOW - 2 * DAY, NOW - DAY]
    for at in moments:
        story.add(at, event)
    await story.tell()

    assert told == sorted(moments) and Moment(NOW).now() == NOW
