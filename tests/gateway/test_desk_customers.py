"""The customer beside a conversation, what is done for them, who looked; what is taught; and the figures."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta

import pytest
import yaml

from bot.core.conversations import ConversationId
from bot.core.handoffs import HandoffReason
from bot.services.desk_views import READ_AGAIN_AFTER
from tests.builders import a_customer, an_order
from tests.gateway.desk_client import wants_a_person
from tests.gateway.desk_fixtures import ana, ben, desk_gateway, helped, waiting

__all__ = ["ana", "ben", "desk_gateway", "helped", "waiting"]


@pytest.fixture
async def maria(desk_gateway, helped):
    """The customer whom Ana helps has proven who she is."""
    customer = a_customer(external_id="C-1001", email="maria@example.com")
    async with desk_gateway.store.transaction() as work:
        await work.customers.add(customer)
        await work.orders.add(an_order(customer_id=customer.id))
        talk = await work.conversations.lock(ConversationId(helped.conversation_id))
        until = desk_gateway.clock.now() + timedelta(hours=1)
        await work.conversations.save(replace(talk, customer_id=customer.id, verified_until=until))
    return customer


async def audit(gateway, customer):
    async with gateway.store.reading() as work:
        return [(entry.actor, entry.action) for entry in await work.audit.of_customers([customer.id])]


async def now(gateway, customer):
    async with gateway.store.reading() as work:
        return await work.customers.get(customer.id)


async def outbox(gateway):
    from sqlalchemy import select

    from bot.storage import tables

    async with gateway.store.reading() as work:
        return [row for row in await work.customers._connection.scalars(select(tables.outbox.c.payload))]


# Who the customer is, and who looked


async def test_a_visitor_has_no_panel(ana, helped):
    view = await ana.get(f"conversations/{helped.conversation_id}")

    assert view["customer"] is None
    assert not view["conversation"]["customer"]["verified"]


async def test_a_proven_customer_is_shown_with_what_was_between_them_and_the_shop(ana, helped, maria):
    panel = (await ana.get(f"conversations/{helped.conversation_id}"))["customer"]

    assert (panel["id"], panel["external_id"], panel["verified"]) == (maria.id, "C-1001", True)
    assert [order["number"] for order in panel["orders"]] == ["TC-10002"]
    assert panel["points"]["available"] == 0
    assert [one["kind"] for one in panel["timeline"]]


async def test_every_look_at_a_customer_is_in_the_audit_log(desk_gateway, ana, ben, helped, maria):
    await ana.get(f"conversations/{helped.conversation_id}")
    await ben.get(f"conversations/{helped.conversation_id}")
    desk_gateway.clock.ahead += READ_AGAIN_AFTER
    await ben.get(f"conversations/{helped.conversation_id}")
    await ben.get("conversations", q="Maria")

    seen = await audit(desk_gateway, maria)

    assert seen.count(("agent:ana@corner.example", "read")) == 1
    assert seen.count(("agent:ben@corner.example", "read")) == 2
    assert seen.count(("agent:ben@corner.example", "search")) == 1


async def test_a_name_in_a_list_is_noted_once_an_hour_for_each_who_sees_it(desk_gateway, ana, ben, helped, maria):
    for _ in range(3):
        await ana.listed(owner="agent")
    await ben.listed(owner="agent")

    seen = await audit(desk_gateway, maria)

    assert seen.count(("agent:ana@corner.example", "list")) == 1
    assert seen.count(("agent:ben@corner.example", "list")) == 1


# What is done for them


async def test_goodwill_is_given_within_the_limit_of_the_role_and_once(desk_gateway, ana, helped, maria):
    path, key = f"conversations/{helped.conversation_id}/goodwill", str(uuid.uuid4())
    for _ in range(2):
        status, _ = await ana.post(path, {"points": 60, "reason": "A late parcel", "key": key})
        assert status == 200

    too_much = await ana.post(path, {"points": 60, "reason": "Another one"})

    assert (too_much[0], too_much[1]["code"]) == (422, "ledger_refused")
    panel = (await ana.get(f"conversations/{helped.conversation_id}"))["customer"]
    assert panel["points"]["available"] == 60
    assert ("agent:ana@corner.example", "goodwill") in await audit(desk_gateway, maria)


@pytest.mark.parametrize(("points", "reason"), [(0, "x"), (-5, "x"), (5, " "), (5, "x" * 501), ("5", "x"), (1.5, "x")])
async def test_goodwill_has_points_and_a_reason(ana, helped, maria, points, reason):
    body = {"points": points, "reason": reason}
    assert (await ana.post(f"conversations/{helped.conversation_id}/goodwill", body))[0] == 422


async def test_nothing_is_given_to_somebody_who_has_not_proven_who_they_are(ana, helped):
    for what, body in (("goodwill", {"points": 5, "reason": "x"}), ("customer", {"phone": "+639175550101"})):
        assert (await ana.post(f"conversations/{helped.conversation_id}/{what}", body))[0] == 404


async def test_contact_data_are_changed_and_the_old_address_is_told(desk_gateway, ana, helped, maria):
    changed = {"phone": "+63 917 555 0101", "email": "Maria.New@Example.com", "address": "7 Mango Avenue"}

    await ana.do(helped.conversation_id, "customer", **changed)

    customer = await now(desk_gateway, maria)
    assert (customer.email, customer.address) == ("maria.new@example.com", "7 Mango Avenue")
    assert ("agent:ana@corner.example", "edit") in await audit(desk_gateway, maria)
    assert [mail["to"] for mail in await outbox(desk_gateway) if "address was changed" in mail["subject"]] == [
        "maria@example.com"
    ]


async def test_an_address_of_somebody_else_is_nobodys_to_type(desk_gateway, ana, helped, maria):
    async with desk_gateway.store.transaction() as work:
        await work.customers.add(a_customer(email="john@example.com"))

    status, _ = await ana.post(f"conversations/{helped.conversation_id}/customer", {"email": "john@example.com"})

    assert status == 422
    assert (await now(desk_gateway, maria)).email == "maria@example.com"


@pytest.mark.parametrize("wrong", [{"phone": "call me"}, {"address": "1234"}, {"name": "Somebody"}])
async def test_contact_data_that_will_not_do_are_refused(desk_gateway, ana, helped, maria, wrong):
    assert (await ana.post(f"conversations/{helped.conversation_id}/customer", wrong))[0] == 422


async def test_a_merge_is_proposed_and_not_done(desk_gateway, ana, helped, maria):
    twin = a_customer(external_id="C-2002", name="M. Santos")
    async with desk_gateway.store.transaction() as work:
        await work.customers.add(twin)

    answer = await ana.do(helped.conversation_id, "merge", other="C-2002")

    assert answer["state"] == "proposed"
    panel = (await ana.get(f"conversations/{helped.conversation_id}"))["customer"]
    assert [one["external_id"] for one in panel["merge_proposals"]] == ["C-2002"]
    assert (await now(desk_gateway, twin)).merged_into_id is None


# What the assistant is taught


async def test_what_was_misunderstood_lands_in_a_list_that_exports_as_rasas_examples(ana, ben, helped):
    seq = await helped.say('Where is [my](order)\n"parcel"?')
    for intent in ("greet", "track_order"):
        status, _ = await ana.post(f"messages/{helped.conversation_id}/{seq}/teach", {"intent": intent})
        assert status == 200

    (mark,) = (await ben.get("teaching"))["teaching"]
    exported = yaml.safe_load(await ben.get("teaching/export"))

    assert (mark["intent"], mark["agent"]["name"]) == ("track_order", "Ana Cruz")
    assert exported["nlu"] == [{"intent": "track_order", "examples": '- Where is my (order) "parcel"?\n'}]
    view = await ana.get(f"conversations/{helped.conversation_id}")
    assert view["messages"][-1]["taught"] == "track_order"


async def test_only_customers_words_and_known_wishes_are_taught(ana, helped):
    own = await ana.reply(helped.conversation_id, "Hello")
    said = await helped.say("Hello")
    for seq, intent, expected in ((own, "greet", 404), (999, "greet", 404), (0, "greet", 404), (said, "dance", 422)):
        status, _ = await ana.post(f"messages/{helped.conversation_id}/{seq}/teach", {"intent": intent})
        assert status == expected


async def test_an_unanswered_question_becomes_a_draft(ana, helped):
    await ana.post("knowledge", {"question": "Is it vegan?", "conversation_id": helped.conversation_id})

    (draft,) = (await ana.get("knowledge"))["knowledge"]

    assert (draft["question"], draft["conversation_id"]) == ("Is it vegan?", helped.conversation_id)


async def test_canned_replies_are_kept_replaced_and_forgotten(ana):
    for text in ("Hello {name}!", "Good day {name}!"):
        assert (await ana.ask("PUT", "canned/Hello", {"text": text}))[0] == 200
    assert [(one["shortcut"], one["text"]) for one in (await ana.get("canned"))["canned"]] == [
        ("hello", "Good day {name}!")
    ]

    await ana.ask("DELETE", "canned/hello")

    assert (await ana.get("canned"))["canned"] == []
    assert (await ana.ask("PUT", "canned/two%20words", {"text": "x"}))[0] == 422


# The figures


async def test_a_report_counts_what_happened_and_says_what_it_means(desk_gateway, ana, helped):
    await ana.reply(helped.conversation_id, "Hello")
    other = await desk_gateway.chat()
    await other.ask("Hi")
    await wants_a_person(desk_gateway, other.conversation_id, reason=HandoffReason.COMPLAINT)

    report = await ana.get("reports")
    totals, (agent,) = report["figures"]["totals"], report["figures"]["agents"]

    assert (totals["volume"], totals["handoffs"], totals["handoff_rate"], totals["containment"]) == (2, 2, 1.0, 0.0)
    assert (totals["waiting"]["count"], totals["first_response"]["count"], totals["resolution"]["count"]) == (1, 1, 0)
    assert (agent["name"], agent["conversations"], agent["replies"]) == ("Ana Cruz", 1, 1)
    assert {one["reason"]: one["count"] for one in report["figures"]["reasons"]} == {"asked": 1, "complaint": 1}
    assert len(report["figures"]["days"]) == 30
    assert {"volume", "waiting", "first_response", "resolution"} <= report["definitions"].keys()
    table = await ana.get("reports.csv")
    assert table.splitlines()[0] == "of,which,figure,value"
    assert "total,,volume,2" in table.splitlines()


@pytest.mark.parametrize(
    "days", [{"from": "2026-02-30"}, {"from": "2026-02-02", "to": "2026-02-01"}, {"from": "1990-01-01"}]
)
async def test_days_that_make_no_sense_are_refused(ana, days):
    assert (await ana.ask("GET", "reports", params=days))[0] == 422
