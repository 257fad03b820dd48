"""Mail leaves after the commit, at least once, and not for ever."""

import asyncio
from datetime import timedelta

import pytest

from bot.services.outbox import DELIVERY_LEASE, MAX_ATTEMPTS, SECRET_MAIL_LIFETIME, Mail, deliver_next, queue_mail
from bot.services.ports import Hint

WHOM = {"to": "team@corner.example", "subject": "Hello", "body": "Hello there."}


class Postbox:
    """Takes mail, or fails as often as it was told to."""

    def __init__(self, *errors):
        self.errors = list(errors)
        self.mail = []

    async def __call__(self, mail: Mail) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.mail.append(mail)


async def queue(db, clock, key="handoff:1", **changes):
    async with db.transaction() as work:
        await queue_mail(work, clock, key=key, **{**WHOM, **changes})


async def test_queued_mail_is_delivered_once(db, clock):
    postbox = Postbox()
    await queue(db, clock, reply_to="maria@example.com")

    entry = await deliver_next(db, clock, postbox)

    assert db.hints == [Hint("outbox")]
    assert postbox.mail == [Mail(entry.id, **WHOM, reply_to="maria@example.com")]
    assert (entry.sent_at, entry.attempts, entry.next_attempt_at) == (clock.now(), 1, None)
    clock.advance(days=1)
    assert await deliver_next(db, clock, postbox) is None


async def test_one_key_is_one_mail_and_wakes_once(db, clock):
    await queue(db, clock)
    await queue(db, clock, subject="Hello again")

    postbox = Postbox()
    while await deliver_next(db, clock, postbox):
        pass

    assert [mail.subject for mail in postbox.mail] == ["Hello"]
    assert db.hints == [Hint("outbox")]


async def test_mail_of_a_transaction_that_failed_is_never_sent(db, clock):
    with pytest.raises(RuntimeError):
        async with db.transaction() as work:
            await queue_mail(work, clock, key="1", **WHOM)
            raise RuntimeError

    assert await deliver_next(db, clock, Postbox()) is None
    assert db.hints == []


@pytest.mark.parametrize("error", [OSError("connection refused"), ValueError("not an address")])
async def test_a_failed_delivery_is_tried_again_with_the_same_message_id(db, clock, error):
    postbox = Postbox(error)
    await queue(db, clock)

    failed = await deliver_next(db, clock, postbox)
    assert (failed.sent_at, failed.attempts, failed.last_error) == (None, 1, str(error))
    assert await deliver_next(db, clock, postbox) is None
    clock.advance(seconds=30)
    sent = await deliver_next(db, clock, postbox)

    assert (sent.id, sent.attempts, sent.last_error) == (failed.id, 2, None)
    assert [mail.message_id for mail in postbox.mail] == [failed.id]


async def test_tries_are_further_and_further_apart_and_end(db, clock):
    postbox = Postbox(*[OSError("away")] * MAX_ATTEMPTS)
    await queue(db, clock)

    waits = []
    while (entry := await deliver_next(db, clock, postbox)).next_attempt_at is not None:
        waits.append((entry.next_attempt_at - clock.now()).total_seconds())
        clock.advance(seconds=waits[-1] - 1)
        assert await deliver_next(db, clock, postbox) is None
        clock.advance(seconds=1)

    assert waits == [30, 60, 120, 240, 480, 960, 1_920]
    assert (entry.attempts, entry.sent_at, entry.last_error) == (MAX_ATTEMPTS, None, "away")
    clock.advance(days=30)
    assert await deliver_next(db, clock, postbox) is None
    assert postbox.mail == []


async def test_one_bad_mail_does_not_hold_up_the_others(db, clock):
    postbox = Postbox(OSError("away"))
    await queue(db, clock, key="1", subject="First")
    clock.advance(seconds=1)
    await queue(db, clock, key="2", subject="Second")

    await deliver_next(db, clock, postbox)
    await deliver_next(db, clock, postbox)

    assert [mail.subject for mail in postbox.mail] == ["Second"]


async def test_what_a_dead_process_took_is_delivered_by_the_next_after_a_while(db, clock):
    await queue(db, clock)

    class Died(BaseException):
        pass

    with pytest.raises(Died):
        await deliver_next(db, clock, Postbox(Died()))
    postbox = Postbox()
    assert await deliver_next(db, clock, postbox) is None
    clock.advance(DELIVERY_LEASE)
    await deliver_next(db, clock, postbox)

    assert len(postbox.mail) == 1


async def test_nothing_is_locked_while_mail_is_on_its_way(db, clock):
    await queue(db, clock)
    under_way, arrived = asyncio.Event(), asyncio.Event()

    async def slow(mail):
        under_way.set()
        await arrived.wait()

    delivering = asyncio.create_task(deliver_next(db, clock, slow))
    await under_way.wait()
    await asyncio.wait_for(queue(db, clock, key="2"), 5)
    arrived.set()

    assert (await delivering).sent_at == clock.now()


async def test_many_deliverers_send_each_mail_once(sql_db, clock):
    for number in range(20):
        await queue(sql_db, clock, key=str(number), subject=str(number))
    postbox = Postbox()

    async def deliver_all():
        # On PostgreSQL a row that another is just taking is left out, so nothing found is not the end yet.
        while len(postbox.mail) < 20:
            await deliver_next(sql_db, clock, postbox)

    await asyncio.wait_for(asyncio.gather(*(deliver_all() for _ in range(5))), 30)

    assert sorted(int(mail.subject) for mail in postbox.mail) == list(range(20))


async def test_a_due_time_is_a_time_from_the_clock(db, clock):
    await queue(db, clock)
    clock.advance(timedelta(seconds=-1))

    assert await deliver_next(db, clock, Postbox()) is None


async def test_a_secret_that_is_stale_is_neither_sent_nor_kept(db, clock):
    postbox = Postbox(*[OSError("the mail server is away")] * MAX_ATTEMPTS)
    await queue(db, clock, is_secret=True)

    last = None
    while (entry := await deliver_next(db, clock, postbox)) is not None:
        last = entry
        if entry.next_attempt_at is not None:
            assert entry.next_attempt_at < entry.created_at + SECRET_MAIL_LIFETIME
            clock.advance(seconds=(entry.next_attempt_at - clock.now()).total_seconds())

    assert postbox.mail == []
    assert last is not None
    assert last.sent_at is None
    assert last.payload["body"] == ""
    assert last.attempts < MAX_ATTEMPTS


async def test_the_text_of_a_secret_is_gone_once_it_is_sent(db, clock):
    postbox = Postbox()
    await queue(db, clock, is_secret=True)

    entry = await deliver_next(db, clock, postbox)

    assert [mail.body for mail in postbox.mail] == [WHOM["body"]]
    assert entry.payload["body"] == ""
