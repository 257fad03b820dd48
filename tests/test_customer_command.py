"""The command `customer`: what an operator types about one person, and what comes of it."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest

from bot.__main__ import build_parser
from bot.customer_commands import NotConfirmed, run_customer_command
from bot.errors import CustomerNotFound, ErasureRefused, MergeRefused
from bot.services.persons import customer_of
from tests.builders import NOW, stored_customer, stored_order

MARIA = "maria@example.com"


@pytest.fixture
async def maria(sql_db):
    return await stored_customer(
        sql_db, external_id="C-1", email=MARIA, phone="0917 123 4567", created_at=NOW - timedelta(days=1)
    )


@pytest.fixture
async def mia(sql_db):
    return await stored_customer(sql_db, external_id="C-2", name="Mia Santos", phone="0917-1234567")


@pytest.fixture
def type_in(sql_db, clock, shop):
    """Type a command; its answer. `asked` are the questions, all of which are answered with `answer`."""

    async def type_in(*words, answer=False):
        options = vars(build_parser().parse_args(["customer", *words]))
        del options["command"]

        def confirm(question):
            type_in.asked.append(question)
            return answer

        return await run_customer_command(sql_db, clock, shop, options, confirm)

    type_in.asked = []
    return type_in


async def audit(db, customer):
    async with db.reading() as work:
        return [(entry.actor, entry.action) for entry in await work.audit.of_customers([customer.id])]


@pytest.mark.parametrize("name", ["C-1", "Maria@Example.com"])
async def test_export_prints_everything_as_json(sql_db, type_in, maria, name):
    data = json.loads(await type_in("export", name))

    assert data["customers"][0]["email"] == MARIA
    assert await audit(sql_db, maria) == [("operator", "export")]


async def test_erase_asks_first(sql_db, type_in, maria):
    with pytest.raises(NotConfirmed):
        await type_in("erase", "C-1")
    (question,) = type_in.asked
    assert "Maria Santos (C-1)" in question

    assert "Erased" in await type_in("erase", "C-1", answer=True)

    async with sql_db.reading() as work:
        assert (await work.customers.get(maria.id)).erased_at == NOW
    assert await audit(sql_db, maria) == [("operator", "erase")]


async def test_erase_with_yes_asks_nobody_and_can_be_repeated(sql_db, type_in, maria):
    await type_in("erase", MARIA, "--yes")

    assert await type_in("erase", "C-1", "--yes") == "This customer was erased already, on 2026-01-05."
    assert type_in.asked == []
    with pytest.raises(CustomerNotFound):
        await type_in("export", "C-1")


async def test_erase_says_what_stands_in_the_way(sql_db, type_in, maria):
    await stored_order(sql_db, number="TC-5", customer_id=maria.id)

    with pytest.raises(ErasureRefused, match="an order is open \\(TC-5\\)"):
        await type_in("erase", "C-1", "--yes")


async def test_two_are_merged_and_parted(sql_db, type_in, maria, mia):
    said = await type_in("merge", "C-1", "C-2")

    assert "Mia Santos (C-2) is Maria Santos (C-1) now" in said
    merge_id = re.search(r"undo-merge (\w+)", said).group(1)
    async with sql_db.reading() as work:
        assert (await customer_of(work, mia.id)).id == maria.id
    assert merge_id in await type_in("merges", "C-2")
    assert "two again" in await type_in("undo-merge", merge_id)
    async with sql_db.reading() as work:
        assert (await customer_of(work, mia.id)).id == mia.id
    assert "undone" in await type_in("merges", "C-1")


async def test_proposals_are_found_listed_and_decided(sql_db, type_in, maria, mia):
    await stored_customer(sql_db, name="Mia Too", external_id="C-3", email=MARIA)

    lines = (await type_in("proposals")).splitlines()

    assert {line.partition("  ")[2].partition("  ")[2] for line in lines[:2]} == {
        "Mia Santos (C-2) is Maria Santos (C-1)?  same phone",
        "Mia Too (C-3) is Maria Santos (C-1)?  same email",
    }
    ids = {line.split("  ")[-1]: line.split()[0] for line in lines[:2]}
    assert "Mia Santos (C-2) is Maria Santos (C-1) now" in await type_in("accept", ids["same phone"])
    assert "Dismissed" in await type_in("dismiss", ids["same email"])
    assert await type_in("proposals") == "Nobody looks like anybody else."


async def test_what_there_is_not_is_said(sql_db, type_in, maria):
    for words in (("export", "C-9"), ("erase", "C-9", "--yes"), ("merge", "C-1", "C-9"), ("merges", "C-9")):
        with pytest.raises(CustomerNotFound):
            await type_in(*words)
    for action in ("accept", "dismiss", "undo-merge"):
        with pytest.raises(MergeRefused):
            await type_in(action, "nothing")
