"""Orders that were brought along from elsewhere keep their own numbers, and are found by them."""

from __future__ import annotations

import pytest

from bot.core.orders import OrderStatus
from tests.builders import an_order
from tests.dialogue.test_conversations import latest_code

# As the file had it: six digits, four digits, and a letter with no dash.
NUMBERS = ("536365", "1042", "C536379")


@pytest.fixture
async def imported(demo_db, clock):
    async with demo_db.transaction() as work:
        maria = await work.customers.by_external_id("C-1001")
        for number in NUMBERS:
            await work.orders.add(
                an_order(
                    number=number,
                    customer_id=maria.id,
                    email=maria.email,
                    status=OrderStatus.DELIVERED,
                    placed_at=clock.now(),
                )
            )


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("where is order 536365", "536365"),
        ("536365", "536365"),
        ("where is TC-536365", "536365"),
        ("whats up with order number 1042", "1042"),
        ("where is order C-536379", "C536379"),
    ],
)
async def test_a_customer_finds_an_imported_order_by_its_number(talk_as, imported, said, number) -> None:
    talk = await talk_as("C-1001")

    assert f"Order {number} was delivered" in await talk.text(said)


async def test_a_stranger_proves_an_imported_order(talk_as, imported) -> None:
    talk = await talk_as()

    assert "e-mail address or the postcode" in await talk.text("where is order 536365")
    assert "I find no order" in await talk.text("john@example.com")
    assert "Order 536365 was delivered" in await talk.text("maria@example.com")


async def test_the_number_alone_is_enough_when_it_was_asked_for(talk_as, imported) -> None:
    talk = await talk_as()

    assert "Which order is it" in await talk.text("where is my order")
    assert "e-mail address or the postcode" in await talk.text("it's 536365")
    assert "Order 536365 was delivered" in await talk.text("1200")


async def test_a_stranger_does_not_learn_how_an_order_is_kept(talk_as, imported) -> None:
    """Else the numbers of the shop's orders could be found out one by one."""
    answers = []
    for number in ("536365", "536366"):
        talk = await talk_as()
        said = [await talk.text(f"where is order {number}"), await talk.text("john@example.com")]
        answers.append("\n".join(said).replace(number, "…"))

    assert answers[0] == answers[1]


async def test_another_customer_does_not_see_it(talk_as, imported) -> None:
    talk = await talk_as("C-1002")

    assert "was delivered" not in await talk.text("where is order 536365")


async def test_whoever_proves_themselves_on_the_way_has_the_invoice_of_an_imported_order(
    talk_as, imported, demo_db
) -> None:
    talk = await talk_as()

    assert "Which e-mail address" in await talk.text("i want the invoice of order 536365")
    assert "six digits" in await talk.text("maria@example.com")
    assert "the invoice of order 536365" in await talk.text(await latest_code(demo_db))
