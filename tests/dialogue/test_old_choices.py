"""A choice that scrolled away answers its own question, and no later one."""

from __future__ import annotations

from sqlalchemy import select

from bot.storage import tables


async def status(db, number: str) -> str:
    async with db.reading() as work:
        query = select(tables.orders.c.status).where(tables.orders.c.number == number)
        return await work.conversations._connection.scalar(query)


async def test_an_old_yes_does_not_confirm_what_is_asked_now(talk_as, demo_db) -> None:
    talk = await talk_as("C-1001")
    await talk.say("change order TC-10003")
    assert "Shall I pass that on" in await talk.text("one more bag please")
    old_yes = talk.choices["Yes"]
    await talk.say("no")
    assert "Shall I cancel it" in await talk.text("cancel TC-10003")
    new_yes = talk.choices["Yes"]
    assert old_yes != new_yes

    talk.choices["Yes"] = old_yes
    assert "is cancelled" not in await talk.text("[Yes]")
    assert await status(demo_db, "TC-10003") == "preparing"

    talk.choices["Yes"] = new_yes
    assert "is cancelled" in await talk.text("[Yes]")
    assert await status(demo_db, "TC-10003") == "cancelled"
