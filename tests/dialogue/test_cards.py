"""Orders, rewards and points as cards beside the text, which says it all without them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.conversations import Card, Message
from bot.core.orders import OrderLine


def says_what_its_cards_show(message: Message) -> bool:
    text = message.text.lower()
    shown = [part for card in message.cards for part in (card.title, *(value for _, value in card.facts))]
    return all(part.lower() in text for part in shown)


async def test_an_order_on_its_way_is_shown_with_its_steps_and_what_its_customer_may_know(talk_as) -> None:
    talk = await talk_as("C-1001")
    (said,) = await talk.say("where is order TC-10002")

    (card,) = said.cards
    assert (card.kind, card.title) == ("order", "TC-10002")
    assert card.steps == ("Ordered", "Being prepared", "On its way", "Delivered")
    assert card.steps[card.step] == "On its way"
    facts = dict(card.facts)
    assert list(facts) == [
        "Left us on",
        "Carrier",
        "Should arrive by",
        "Items",
        "Placed on",
        "Total",
        "Tracking number",
    ]
    assert facts["Tracking number"].startswith("TRK") and facts["Total"].startswith("$")
    assert says_what_its_cards_show(said)


async def test_whoever_only_proved_the_order_sees_how_far_it_is_and_nothing_else(talk_as, demo_db) -> None:
    talk = await talk_as()
    await talk.say("where is order TC-10002")
    (said,) = await talk.say("maria@example.com")

    (card,) = said.cards
    assert card.steps[card.step] == "On its way"
    assert [label for label, _ in card.facts] == ["Left us on", "Carrier", "Should arrive by"]
    assert card.choice is None
    assert says_what_its_cards_show(said)
    async with demo_db.reading() as work:
        order = await work.orders.by_number("TC-10002")
    for private in (order.tracking_number, order.shipping_address, order.lines[0].title, "$", "Maria"):
        assert private and private not in f"{said.text} {said.cards}"


@pytest.mark.parametrize(
    ("number", "of", "status"), [("TC-10011", "C-1002", "Refunded"), ("TC-10003", "C-1001", "Cancelled")]
)
async def test_an_order_that_came_to_an_end_shows_no_steps(talk_as, number, of, status) -> None:
    talk = await talk_as(of)
    if status == "Cancelled":
        await talk.say(f"cancel order {number}")
        await talk.say("yes")
    (said,) = await talk.say(f"where is order {number}")

    (card,) = said.cards
    assert (card.steps, card.step) == ((), None)
    assert dict(card.facts)["Status"] == status
    assert says_what_its_cards_show(said)


async def test_a_list_of_orders_leads_to_the_details_of_each(talk_as) -> None:
    talk = await talk_as("C-1001")
    (said,) = await talk.say("show me my orders")

    assert [card.title for card in said.cards] == ["TC-10003", "TC-10002", "TC-10001"]
    assert [card.choice.title for card in said.cards] == [f"{card.title}: details" for card in said.cards]
    assert all(f"{card.title}: " in said.text for card in said.cards)

    talk.choices.update({card.choice.title: card.choice.payload for card in said.cards})
    (details,) = await talk.say("[TC-10001: details]")
    assert "TC-10001 was delivered" in details.text
    assert details.cards[0].title == "TC-10001"


async def test_of_many_orders_the_newest_five_are_cards_and_none_is_left_out(talk_as, demo_db, clock) -> None:
    async with demo_db.transaction() as work:
        maria = await work.customers.by_external_id("C-1001")
        like = await work.orders.by_number("TC-10001")
        for day in range(4):
            placed_at = clock.now() - timedelta(days=100 + day)
            await work.orders.add(replace(like, number=f"TC-9000{day}", customer_id=maria.id, placed_at=placed_at))
    talk = await talk_as("C-1001")
    newest, older = await talk.say("show me my orders")

    assert [card.title for card in newest.cards] == ["TC-10003", "TC-10002", "TC-10001", "TC-90000", "TC-90001"]
    assert older.cards == ()
    assert "TC-90002" in older.text and "TC-90003" in older.text


async def test_a_reward_is_picked_on_its_card(talk_as) -> None:
    talk = await talk_as("C-1001")
    (said,) = await talk.say("i want to use my points")

    assert {card.kind for card in said.cards} == {"reward"}
    assert says_what_its_cards_show(said)
    mug = next(card for card in said.cards if card.title == "Parol mug")
    assert dict(mug.facts) == {"For": "250 points"}
    assert mug.choice in said.choices  # for channels without cards

    talk.choices["the card"] = mug.choice.payload
    (asked,) = await talk.say("[the card]")
    assert "Parol mug for 250 points" in asked.text and "Shall I?" in asked.text


async def test_a_reward_out_of_reach_says_what_is_missing_and_cannot_be_picked(talk_as) -> None:
    talk = await talk_as("C-1002")
    (said,) = await talk.say("redeem my points")

    mug = next(card for card in said.cards if card.title == "Parol mug")
    assert (dict(mug.facts), mug.choice) == ({"For": "250 points", "Still missing": "170 points"}, None)
    assert says_what_its_cards_show(said)


async def test_points_show_how_far_it_is_to_the_next_level(talk_as) -> None:
    talk = await talk_as("C-1001")
    (said,) = await talk.say("how many points do i have")

    (card,) = said.cards
    assert (card.kind, card.title) == ("points", "420 points")
    assert (card.steps, card.step) == (("Bronze", "Silver", "Gold"), 1)
    assert any(label == "More to Gold" for label, _ in card.facts)
    assert says_what_its_cards_show(said)


async def test_a_question_asked_again_in_brief_has_no_cards(talk_as) -> None:
    talk = await talk_as("C-1001")
    await talk.say("i want to use my points")
    said = await talk.say("when do you open")

    assert "So, which reward" in said[-1].text
    assert [message.cards for message in said] == [()] * len(said)


async def test_a_hostile_title_stays_what_it_is_and_short(talk_as, demo_db) -> None:
    evil = "<img src=x onerror=alert(1)>\n" + "A" * 500
    async with demo_db.transaction() as work:
        order = await work.orders.by_number("TC-10003")
        line = OrderLine("EVIL", evil, 1, 100)
        await work.orders.add(replace(order, number="TC-90000", lines=(line,) * 5))
    talk = await talk_as("C-1001")
    (said,) = await talk.say("where is order TC-90000")

    items = dict(said.cards[0].facts)["Items"]
    assert items.startswith("1 × <img src=x onerror=alert(1)> AAA")
    assert items.endswith("… and 2 more") and len(items) < 250
    assert says_what_its_cards_show(said)


async def test_cards_come_through_an_action_server_unchanged(talk_as, assistant, monkeypatch) -> None:
    endpoint = assistant._agent.processor.action_endpoint
    request = endpoint.request

    async def over_the_wire(*args, **kwargs):
        return json.loads(json.dumps(await request(*args, **kwargs)))

    (direct,) = await (await talk_as("C-1001")).say("where is order TC-10002")
    monkeypatch.setattr(endpoint, "request", over_the_wire)
    (sent_on,) = await (await talk_as("C-1001")).say("where is order TC-10002")

    assert sent_on.cards == direct.cards != ()
    assert all(isinstance(card, Card) for card in sent_on.cards)
