"""Consents as they are kept: for ever, by address, and respected by every mail that nobody has to want."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bot.core.consents import FEEDBACK, MARKETING, SERVICE, hash_address
from bot.services.audit import record_audit
from bot.services.consents import may_contact, queue_optional_mail, record_consent
from tests.builders import NOW, stored_customer
from tests.services.mails import sent_mails

MARIA = "maria@example.com"


class Links:
    """Links that tell what they are for."""

    def invoice(self, order_number, now):
        return f"https://chat.example/invoices/{order_number}"

    def unsubscribe(self, address, purpose, now):
        return f"https://chat.example/unsubscribe/{purpose}"


async def say(db, clock, granted, *, address=MARIA, purpose=MARKETING, source="chat", channel="email"):
    async with db.transaction() as work:
        await record_consent(
            work,
            clock,
            channel=channel,
            address=address,
            purpose=purpose,
            granted=granted,
            wording="Mails with offers",
            source=source,
        )


async def allowed(db, *, address=MARIA, purpose=MARKETING, channel="email"):
    async with db.reading() as work:
        return await may_contact(work, channel=channel, address=address, purpose=purpose)


async def kept(db, address=MARIA):
    async with db.reading() as work:
        return await work.consents.of_addresses([("email", hash_address("email", address))])


async def test_a_word_counts_for_its_address_channel_and_purpose_only(sql_db, clock):
    await say(sql_db, clock, True)

    assert await allowed(sql_db, address=" MARIA@example.com")
    assert not await allowed(sql_db, address="john@example.com")
    assert not await allowed(sql_db, channel="telegram")
    await say(sql_db, clock, False, purpose=FEEDBACK)
    assert await allowed(sql_db)
    assert not await allowed(sql_db, purpose=FEEDBACK)
    assert await allowed(sql_db, purpose=SERVICE)


async def test_an_opt_out_survives_the_next_import(sql_db, clock):
    for _ in range(2):
        await say(sql_db, clock, True, source="import")
    assert await allowed(sql_db)
    await say(sql_db, clock, False, source="link")

    for _ in range(2):
        await say(sql_db, clock, True, source="import")
        await say(sql_db, clock, True, source="api")

    assert not await allowed(sql_db)
    assert [(one.source, one.granted) for one in await kept(sql_db)] == [
        *(("import", True), ("link", False), ("api", True)),
    ]
    await say(sql_db, clock, True)
    assert await allowed(sql_db)


async def test_what_was_agreed_to_is_kept_with_its_words_and_its_moment_but_not_the_address(sql_db, clock):
    await say(sql_db, clock, True)
    await say(sql_db, clock, True)

    (consent,) = await kept(sql_db)
    assert (consent.wording, consent.source, consent.at) == ("Mails with offers", "chat", NOW)
    assert MARIA not in repr(consent)


@pytest.mark.parametrize("change", ["UPDATE consents SET granted = true", "DELETE FROM consents"])
async def test_a_consent_is_never_changed_or_deleted(sql_db, clock, change):
    await say(sql_db, clock, False)

    with pytest.raises(DBAPIError, match="append-only"):
        async with sql_db.transaction() as work:
            await work.consents._connection.execute(text(change))
    assert len(await kept(sql_db)) == 1


async def queue(db, clock, *, purpose=FEEDBACK, key="survey:1"):
    async with db.transaction() as work:
        return await queue_optional_mail(
            work, clock, Links(), key=key, to=MARIA, purpose=purpose, subject="How was it?", body="Tell us."
        )


async def test_a_mail_that_nobody_has_to_want_says_how_to_say_no(sql_db, clock):
    assert await queue(sql_db, clock)

    (mail,) = await sent_mails(sql_db, clock)
    assert mail.unsubscribe_url == "https://chat.example/unsubscribe/feedback"
    assert mail.body.startswith("Tell us.\n")
    assert mail.unsubscribe_url in mail.body


async def test_whoever_said_no_gets_no_such_mail(sql_db, clock):
    assert not await queue(sql_db, clock, purpose=MARKETING)
    await say(sql_db, clock, False, purpose=FEEDBACK, source="link")
    assert not await queue(sql_db, clock)

    assert await sent_mails(sql_db, clock) == []


async def test_the_audit_log_keeps_who_and_what_without_the_person(sql_db, clock):
    maria = await stored_customer(sql_db)
    async with sql_db.transaction() as work:
        detail = {"email": {"before": MARIA, "after": None}, "orders": 2}
        await record_audit(work, clock, actor="agent:Ana", action="read", customer_id=maria.id, detail=detail)
        await record_audit(work, clock, actor="system", action="sweep", customer_id=None)

    async with sql_db.reading() as work:
        (entry,) = await work.audit.of_customers([maria.id])
    assert (entry.actor, entry.action, entry.at) == ("agent:Ana", "read", NOW)
    assert entry.detail == {"email": {"before": "[redacted]", "after": None}, "orders": 2}


@pytest.mark.parametrize("change", ["UPDATE audit_log SET actor = 'nobody'", "DELETE FROM audit_log"])
async def test_the_audit_log_is_never_changed_or_deleted(sql_db, clock, change):
    async with sql_db.transaction() as work:
        await record_audit(work, clock, actor="system", action="sweep", customer_id=None)

    with pytest.raises(DBAPIError, match="append-only"):
        async with sql_db.transaction() as work:
            await work.audit._connection.execute(text(change))
