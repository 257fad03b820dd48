"""A person's data: handed out whole, erased whole, and nothing in between."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from bot.core.consents import FEEDBACK, LOYALTY, MARKETING, SERVICE
from bot.core.conversations import Attachment, Author, Owner
from bot.core.customers import EMAIL, PHONE, Tag, erased_external_id
from bot.core.handoffs import Stage, Step
from bot.core.ledger import EntryKind
from bot.core.orders import OrderStatus
from bot.core.privacy import Erasure
from bot.core.requests import RequestKind
from bot.core.returns import ReturnStatus
from bot.errors import CustomerNotFound, ErasureRefused
from bot.services.consents import may_contact, record_consent
from bot.services.conversations import ProvenIdentity, open_web_conversation
from bot.services.customers import add_note, find_customer
from bot.services.ids import new_id
from bot.services.ledger import award_points, balance_of
from bot.services.merges import follow_up_merge, merge_customers, propose_merge, undo_merge
from bot.services.outbox import deliver_next, queue_mail
from bot.services.ports import LedgerNote
from bot.services.privacy import erase_customer, export_customer, hand_out, request_erasure
from bot.services.turn_context import TurnContext, current_turn
from bot.storage import tables
from bot.storage.person import NOBODYS, Person
from bot.storage.privacy import NOT_IN_THE_COPY
from tests.builders import (
    NOW,
    a_code,
    a_handoff,
    a_message,
    a_refund,
    a_request,
    a_return,
    an_attempt,
    an_entry,
    an_identity,
    conversation_now,
    events_now,
    stored_conversation,
    stored_customer,
    stored_order,
)
from tests.sample_files import a_png
from tests.services.desk import ANA, add_agents, agent_now, open_always, standing_now, step
from tests.services.desk import ask as ask_for_a_person
from tests.services.mails import sent_mails

PHOTO, DAY = a_png(), timedelta(days=1)
MARIA, PHONE_NUMBER, STREET = "maria.santos@example.com", "+639171234567", "48 Salcedo Street"
# Whatever is about her, and nobody else.
TRACES = ("maria", "santos", "9171234567", "salcedo", "sw1a", "minou", "c-1001", "trk-77", "chat-of-hers", "referme")


@pytest.fixture
async def maria(sql_db):
    return await stored_customer(
        sql_db,
        **{"external_id": "C-1001", "name": "Maria Santos", "email": MARIA, "phone": PHONE_NUMBER, "address": STREET},
        **{"postcode": "SW1A", "preferred_name": "Maria", "language": "tl", "birthday_month": 2, "birthday_day": 29},
    )


async def live(db, clock, customer, number=1, **changes):
    """Something of hers in every table, with her traces wherever words can stand."""
    placed = {"postcode": "SW1A", "shipping_address": STREET, "tracking_number": "TRK-77", "carrier": "LBC"}
    order = await stored_order(
        db, number=f"TC-{number}", customer_id=customer.id, email=MARIA, status=OrderStatus.DELIVERED, **placed
    )
    account = an_identity(channel="telegram", external_id=f"chat-of-hers-{number}", customer_id=customer.id)
    async with db.transaction() as work:
        await work.customers.add_identity(account)
    talk = await stored_conversation(db, customer_id=customer.id, verified_until=NOW + timedelta(hours=1), **changes)
    async with db.transaction() as work:
        connection = work.customers._connection
        refund = a_refund(order_number=order.number, paid_at=NOW)
        await work.refunds.add(refund)
        back = a_return(order, number=f"R-{number}", reason="My cat Minou broke it.", status=ReturnStatus.REFUNDED)
        await work.returns.add(back)
        said = a_message(talk, text="I am Maria, and Minou is my cat.", external_id=f"chat-of-hers:{number}")
        answer = a_message(talk, seq=2, author=Author.BOT, text="Hello Maria!")
        await work.messages.add(said, answer, channel=talk.channel)
        photo = Attachment(f"file{number}", "minou.png", "image/png", len(PHOTO))
        await work.attachments.add(talk.id, photo, PHOTO, NOW)
        await work.tracker_events.append(talk.id, 0, [('{"text": "Minou"}', True)], NOW)
        about = {"contact": PHONE_NUMBER, "summary": {"wish": "Maria asks about Minou."}}
        await work.handoffs.add(a_handoff(talk, id=f"h{number}", **about))
        await at_the_desk(work, talk, f"d{number}")
        request = a_request(talk, number=f"S-{number}", customer_id=customer.id, text="Minou!", contact=PHONE_NUMBER)
        await work.requests.add(request)
        await work.verifications.add(an_attempt(talk, subject="Maria"))
        await work.codes.add(a_code(talk, email=MARIA, customer_id=customer.id))
        for position, (key, to, reply_to) in enumerate(
            [
                (f"mail:{number}", MARIA, None),
                (f"cancelled:{number}:shop", "team@corner.example", MARIA),
                (f"request:S-{number}", "team@corner.example", None),
                (f"handoff:h{number}", "team@corner.example", None),
            ]
        ):
            payload = {"to": to, "subject": "Maria Santos", "body": "About Minou", "reply_to": reply_to}
            sent = {"sent_at": NOW, "next_attempt_at": None} if position % 2 else {"last_error": f"550 {MARIA}"}
            await work.outbox.add(an_entry(key=key, payload=payload, **sent))
        entry = await award_points(work, clock, customer.id, EntryKind.GOODWILL, 50, key=f"k{number}")
        await work.ledger.add_note(LedgerNote(entry.id, "agent:Ana", "agent", "For Maria's cat Minou"))
        await connection.execute(
            tables.loyalty_accounts.update()
            .where(tables.loyalty_accounts.c.customer_id == customer.id)
            .values(referral_code=f"REFERME{number}")
        )
        await add_note(work, clock, customer.id, "Maria loves Minou.", author="agent:Ana")
        await work.notes.add_tag(customer.id, Tag("minou's", "agent:Ana", NOW))
        answered = {"customer_id": customer.id, "answered_at": NOW, "text": "Minou is happy."}
        for kind, score in (("review", 5), ("comment", None)):
            row = {"id": f"{kind}{number}", "kind": kind, "key": f"{kind}{number}", "score": score, **answered}
            await connection.execute(insert(tables.feedback).values(row))
        theme = {"feedback_id": f"review{number}", "theme": "cats", "because": "Minou"}
        await connection.execute(insert(tables.feedback_themes).values(theme))
        await connection.execute(insert(tables.import_marks).values(kind="order", record_id=order.number, marks={}))
        voucher = {
            **{"code": f"SUKI-{number}", "kind": "reward", "name": "cup", "title": "A cup", "effect": {}, "uses": 1},
            **{"minimum_minor": 0, "stackable": False, "use_limit": 1, "key": f"v{number}", "created_at": NOW},
        }
        await connection.execute(insert(tables.vouchers).values(customer_id=customer.id, **voucher))
        use = {"id": new_id(), "code": f"SUKI-{number}", "key": f"u{number}", "state": "redeemed"}
        use |= {"discount_minor": 1, "total_minor": 9, "reserved_at": NOW, "ended_at": NOW}
        await connection.execute(insert(tables.voucher_uses).values(use))
        said_yes = {"channel": EMAIL, "address": MARIA, "purpose": MARKETING, "granted": True, "source": "chat"}
        await record_consent(work, clock, **said_yes, wording="News, please")
    return talk


async def at_the_desk(work, talk, name):
    """What somebody at the desk wrote down about a conversation."""
    connection = work.customers._connection
    person = {"presence": "away", "capacity": 3, "skills": [], "languages": [], "free_since": NOW, "created_at": NOW}
    person |= {"role": "agent", "password_hash": "", "must_change_password": False, "wrong_passwords": 0}
    await connection.execute(
        insert(tables.agents).values(id=name, email=f"{name}@corner.example", name="Ana", **person)
    )
    wrote = {"conversation_id": talk.id, "agent_id": name, "at": NOW}
    words = "Maria asks about Minou."
    await connection.execute(insert(tables.desk_notes).values(id=name, text=words, after_seq=2, **wrote))
    await connection.execute(insert(tables.conversation_labels).values(conversation_id=talk.id, label="minou"))
    await connection.execute(insert(tables.teaching_marks).values(seq=1, text=words, intent="greet", **wrote))
    await connection.execute(insert(tables.knowledge_drafts).values(id=name, question=words, **wrote))


async def erase(db, clock, customer, actor="operator"):
    async with db.transaction() as work:
        return await erase_customer(work, clock, customer.id, actor=actor)


async def dump(db):
    """Every row of every table."""
    async with db.reading() as work:
        connection = work.customers._connection
        return {
            table.name: [dict(row) for row in (await connection.execute(select(table))).mappings()]
            for table in tables.metadata.sorted_tables
        }


def traces(rows):
    """Where she can still be told."""
    return {
        (table, name)
        for table, found in rows.items()
        for row in found
        for name, value in row.items()
        for trace in TRACES
        if trace in str(value).lower()
    }


# A copy of everything


async def test_everything_about_somebody_is_handed_out(sql_db, clock, maria):
    await live(sql_db, clock, maria)
    await live(sql_db, clock, await stored_customer(sql_db, name="John", email="john@example.com"), 2)

    async with sql_db.reading() as work:
        data = await export_customer(work, maria.id)

    assert json.loads(json.dumps(data)) == data
    one_each = ("orders", "order_lines", "refunds", "returns", "return_lines", "conversations", "handoffs", "vouchers")
    one_each += (
        "service_requests",
        "customer_notes",
        "customer_tags",
        "customer_addresses",
        "ledger_notes",
        "consents",
    )
    one_each += ("voucher_uses", "channel_identities", "ledger_entries", "feedback_themes", "loyalty_accounts")
    assert {name: len(data[name]) for name in one_each} == dict.fromkeys(one_each, 1)
    assert data["customers"][0]["name"] == "Maria Santos"
    assert [message["text"] for message in data["messages"]] == ["I am Maria, and Minou is my cat.", "Hello Maria!"]
    assert {(row["kind"], row["value"]) for row in data["customer_identities"]} == {
        *(("shop", "C-1001"), (EMAIL, MARIA), (PHONE, PHONE_NUMBER)),
    }
    assert data["orders"][0]["placed_at"] == NOW.isoformat()
    assert "john@example.com" not in json.dumps(data)
    assert "code_hash" not in json.dumps(data)
    (photo,) = data["attachments"]
    assert (photo["name"], base64.b64decode(photo["content"])) == ("minou.png", PHOTO)
    assert data["verification_codes"][0]["email"] == MARIA


async def test_a_copy_has_room_for_so_much_of_files_and_says_which_are_not_in_it(sql_db, clock, maria, monkeypatch):
    await live(sql_db, clock, maria)
    talk = await stored_conversation(sql_db, customer_id=maria.id)
    async with sql_db.transaction() as work:
        newer = Attachment("newer", "new.png", "image/png", len(PHOTO))
        await work.attachments.add(talk.id, newer, PHOTO, NOW + DAY)
        await work.attachments.add(talk.id, Attachment("gone", "a.png", "image/png", 9), PHOTO, NOW - DAY)
        await work.attachments.forget_content(NOW, 1)
    monkeypatch.setattr("bot.storage.privacy.EXPORTED_BYTES", len(PHOTO) + 1)

    async with sql_db.reading() as work:
        data = await export_customer(work, maria.id)

    contents = {file["id"]: file["content"] for file in data["attachments"]}
    assert base64.b64decode(contents.pop("newer")) == PHOTO
    assert contents == {"gone": None, "file1": NOT_IN_THE_COPY}


async def test_the_copy_of_somebody_who_was_merged_is_that_of_the_whole_person(sql_db, clock, maria):
    mia = await stored_customer(sql_db, external_id="C-2")
    await live(sql_db, clock, mia)
    async with sql_db.transaction() as work:
        await merge_customers(work, clock, maria.id, mia.id, reason="asked", author="operator")

    async with sql_db.reading() as work:
        copies = [await export_customer(work, one.id) for one in (maria, mia)]

    assert copies[0] == copies[1]
    assert {row["external_id"] for row in copies[0]["customers"]} == {"C-1001", "C-2"}
    assert len(copies[0]["orders"]) == 1


async def test_every_table_is_handed_out_or_nobodys():
    handed_out = {table.name for table, _ in Person([]).everything([])}

    assert handed_out | NOBODYS == tables.metadata.tables.keys()
    assert not handed_out & NOBODYS


async def test_whoever_hands_out_data_is_noted(sql_db, clock, maria):
    assert (await hand_out(sql_db, clock, maria.id, actor="customer"))["customer"] == maria.id
    assert await hand_out(sql_db, clock, "nobody", actor="customer") is None
    await erase(sql_db, clock, maria)
    assert await hand_out(sql_db, clock, maria.id, actor="customer") is None

    async with sql_db.reading() as work:
        log = await work.audit.of_customers([maria.id])
    assert [(entry.actor, entry.action) for entry in log] == [("customer", "export"), ("operator", "erase")]


# Erasing


async def test_nothing_of_somebody_who_was_erased_can_be_told(sql_db, clock, maria):
    talk = await live(sql_db, clock, maria)
    assert traces(await dump(sql_db)) != set()
    clock.advance(days=1)

    assert await erase(sql_db, clock, maria) == Erasure(maria.id, clock.now())

    rows = await dump(sql_db)
    assert traces(rows) == set()
    (customer,) = rows["customers"]
    assert (customer["name"], customer["erased_at"]) == ("", clock.now())
    assert [message["text"] for message in rows["messages"]] == ["[erased]"] * 2
    assert rows["attachments"] == []
    assert (
        rows["tracker_events"]
        == rows["import_marks"]
        == rows["customer_identities"]
        == rows["verification_codes"]
        == []
    )
    conversation = await conversation_now(sql_db, talk.id)
    assert (conversation.customer_id, conversation.verified_until) == (None, None)


async def test_the_figures_stay(sql_db, clock, maria):
    await live(sql_db, clock, maria)
    before = await dump(sql_db)

    await erase(sql_db, clock, maria)

    after = await dump(sql_db)
    for table in ("ledger_entries", "ledger_open", "stamps", "refunds", "order_lines", "vouchers", "voucher_uses"):
        assert after[table] == before[table], table
    reached = {"email", "postcode", "shipping_address", "tracking_number"}
    assert [{**row, **dict.fromkeys(reached)} for row in before["orders"]] == after["orders"]
    assert {(row["kind"], row["score"]) for row in after["feedback"]} == {("review", 5), ("comment", None)}
    async with sql_db.reading() as work:
        assert (await balance_of(work, clock, maria.id)).available == 50
        assert await work.ledger.faults() == []


async def test_somebody_elses_data_stay_as_they_are(sql_db, clock, maria):
    john = await stored_customer(sql_db, name="John", email="john@example.com")
    talk = await stored_conversation(sql_db, customer_id=john.id)
    async with sql_db.transaction() as work:
        await work.messages.add(a_message(talk, text="Where is my order?"), channel="web")
        await queue_mail(work, clock, key="john", to="john@example.com", subject="Hello", body="Hello John")
        await add_note(work, clock, john.id, "Wholesale.", author="agent:Ana")
    await stored_order(sql_db, number="TC-9", customer_id=john.id, email="john@example.com", shipping_address="Cebu")
    async with sql_db.reading() as work:
        before = await export_customer(work, john.id)
    await live(sql_db, clock, maria)

    await erase(sql_db, clock, maria)

    async with sql_db.reading() as work:
        assert await export_customer(work, john.id) == before


async def test_erasing_again_changes_nothing(sql_db, clock, maria):
    await live(sql_db, clock, maria)
    first = await erase(sql_db, clock, maria)
    before = await dump(sql_db)
    clock.advance(days=1)

    assert await erase(sql_db, clock, maria) == first
    assert await dump(sql_db) == before


async def test_a_fault_in_the_middle_leaves_nothing_half_erased(sql_db, clock, maria, monkeypatch):
    await live(sql_db, clock, maria)
    before = await dump(sql_db)

    async def broken(*_args, **_more):
        raise RuntimeError("the machine")

    monkeypatch.setattr("bot.services.privacy.record_audit", broken)
    with pytest.raises(RuntimeError):
        await erase(sql_db, clock, maria)

    assert await dump(sql_db) == before


async def test_nobody_waits_for_a_person_who_was_erased(sql_db, clock, shop, maria):
    shop = open_always(shop)
    await add_agents(sql_db, ANA)
    waiting, helped, called = [await stored_conversation(sql_db, customer_id=maria.id) for _ in range(3)]
    for talk in (waiting, helped, called):
        await ask_for_a_person(sql_db, clock, shop, talk)
    await step(sql_db, clock, shop, helped, Step.CLAIM, by=ANA)
    await step(sql_db, clock, shop, called, Step.LEAVE_MESSAGE)
    clock.advance(timedelta(minutes=1))

    await erase(sql_db, clock, maria)

    for talk, began in ((waiting, "queue"), (helped, "agent"), (called, "callback")):
        now = await standing_now(sql_db, talk)
        assert (now.stage, now.conversation.owner, now.handoff) == (Stage.BOT, Owner.BOT, None)
        last = (await events_now(sql_db, talk.id, "handoff_step"))[-1]
        assert {"step": "erase", "from": began, "to": "bot"}.items() <= last.detail.items()
    assert (await agent_now(sql_db, ANA)).free_since == clock.now()
    assert await erase(sql_db, clock, maria)  # once more, and nothing is left to do


async def test_an_erased_address_gets_no_mails_that_nobody_has_to_want(sql_db, clock, maria):
    await live(sql_db, clock, maria)
    await erase(sql_db, clock, maria)
    # The next import says yes, as it always did.
    async with sql_db.transaction() as work:
        said = {"channel": EMAIL, "address": MARIA, "purpose": MARKETING, "granted": True, "source": "import"}
        await record_consent(work, clock, **said, wording="Newsletter: yes")

    async with sql_db.reading() as work:
        for purpose in (MARKETING, FEEDBACK, LOYALTY):
            assert not await may_contact(work, channel=EMAIL, address=MARIA, purpose=purpose)
        assert not await may_contact(work, channel=PHONE, address=PHONE_NUMBER, purpose=MARKETING)
        assert await may_contact(work, channel=EMAIL, address=MARIA, purpose=SERVICE)


async def test_an_erased_number_is_known_as_such_and_signs_nobody_in(sql_db, clock, maria):
    await erase(sql_db, clock, maria)

    identity = ProvenIdentity("C-1001", MARIA, "Maria Santos", NOW + timedelta(hours=1))
    conversation, customer = await open_web_conversation(sql_db, clock, conversation_id=None, identity=identity)

    assert (conversation.customer_id, customer) == (None, None)
    async with sql_db.reading() as work:
        found = await find_customer(work, "C-1001")
        assert (found.id, found.external_id) == (maria.id, erased_external_id("C-1001"))
        assert await work.customers.by_email(MARIA) is None


async def test_all_records_of_a_person_are_erased_together(sql_db, clock, maria):
    mia = await stored_customer(sql_db, external_id="C-1001-2", name="Maria S", phone=PHONE_NUMBER)
    other = await stored_customer(sql_db, name="Not her")
    await live(sql_db, clock, mia)
    async with sql_db.transaction() as work:
        await propose_merge(work, clock, maria.id, other.id, reason="same name")
        done = await merge_customers(work, clock, maria.id, mia.id, reason="asked", author="operator")
    await live(sql_db, clock, mia, 2)

    await erase(sql_db, clock, mia)

    assert traces(await dump(sql_db)) == set()
    async with sql_db.transaction() as work:
        assert [(await work.customers.get(one.id)).erased_at for one in (maria, mia)] == [NOW, NOW]
        with pytest.raises(Exception, match="erased"):
            await undo_merge(work, clock, done.id, author="operator")
        await follow_up_merge(work, clock, mia.id)
        assert {merge.state.value for merge in await work.merges.of_customers([maria.id])} == {"done", "dismissed"}


@pytest.mark.parametrize(
    ("unfinished", "said"),
    [
        ({"status": OrderStatus.SHIPPED}, "an order is open (TC-5)"),
        ({"refund": {}}, "money has to be paid back for an order (TC-5)"),
        ({"return": {"status": ReturnStatus.RECEIVED}}, "something is on its way back (R-482915)"),
    ],
)
async def test_nobody_is_erased_who_still_waits_for_something(sql_db, clock, maria, unfinished, said):
    status = unfinished.get("status", OrderStatus.DELIVERED)
    order = await stored_order(sql_db, number="TC-5", customer_id=maria.id, status=status)
    async with sql_db.transaction() as work:
        if "refund" in unfinished:
            await work.refunds.add(a_refund(order_number=order.number))
        if "return" in unfinished:
            await work.returns.add(a_return(order, **unfinished["return"]))
    before = await dump(sql_db)

    with pytest.raises(ErasureRefused) as refused:
        await erase(sql_db, clock, maria)

    assert refused.value.unfinished == said
    assert said in refused.value.message
    assert await dump(sql_db) == before


async def test_nobody_cannot_be_erased(sql_db, clock, maria):
    with pytest.raises(CustomerNotFound):
        await erase(sql_db, clock, replace(maria, id="nobody"))


async def test_an_order_as_a_guest_is_erased_once_nobody_waits_for_it(sql_db, clock, maria):
    for number, status in (("TC-7", OrderStatus.DELIVERED), ("TC-8", OrderStatus.SHIPPED)):
        await stored_order(sql_db, number=number, email=MARIA, status=status, shipping_address=STREET)

    await erase(sql_db, clock, maria)

    async with sql_db.reading() as work:
        done, waiting = await work.orders.by_number("TC-7"), await work.orders.by_number("TC-8")
    assert (done.email, done.postcode, done.shipping_address) == (None, None, None)
    assert (waiting.email, waiting.shipping_address) == (MARIA, STREET)


async def test_a_mail_on_its_way_leaves_nothing_behind_either(sql_db, clock, maria):
    async with sql_db.transaction() as work:
        await queue_mail(work, clock, key="mail", to=MARIA, subject="Hello", body="Hello Maria")

    async def deliver(mail):
        await erase(sql_db, clock, maria)
        raise OSError(f"550 no {mail.to}")

    await deliver_next(sql_db, clock, deliver)

    assert traces(await dump(sql_db)) == set()
    assert await sent_mails(sql_db, clock) == []


# Asked for in a chat


async def ask(db, clock, shop, talk, customer):
    async with db.transaction() as work:
        return await request_erasure(work, clock, shop, talk, customer)


async def test_a_request_goes_to_a_person_where_the_shop_wants_that(sql_db, clock, shop, maria):
    talk = await stored_conversation(sql_db, customer_id=maria.id)

    request = await ask(sql_db, clock, shop, talk, maria)

    assert await ask(sql_db, clock, shop, talk, maria) == request
    assert request.kind is RequestKind.PRIVACY
    (mail,) = await sent_mails(sql_db, clock)
    assert mail.to == shop.contact_email
    assert "python -m bot customer erase C-1001" in mail.body
    async with sql_db.reading() as work:
        assert (await work.customers.get(maria.id)).erased_at is None

    await erase(sql_db, clock, maria)

    rows = await dump(sql_db)
    assert traces(rows) == set()
    assert [row["closed_at"] for row in rows["service_requests"]] == [NOW]


async def test_without_a_person_it_is_done_at_once_and_confirmed(sql_db, clock, shop, maria):
    shop = replace(shop, erasure_needs_approval=False)
    talk = await live(sql_db, clock, maria, visitor_details={"name": "Maria Santos"})
    async with sql_db.transaction() as work:
        conversation = await work.conversations.lock(talk.id)
        turn = TurnContext(work, clock, shop, conversation, maria, None, None)
        token = current_turn.set(turn)
        try:
            erasure = await request_erasure(work, clock, shop, conversation, maria)
        finally:
            current_turn.reset(token)
        # As the turn does in the end.
        await work.conversations.hand_back(turn.conversation, NOW)

    assert erasure == Erasure(maria.id, NOW)
    assert (turn.customer, turn.conversation.customer_id) == (None, None)
    assert (await conversation_now(sql_db, talk.id)).customer_id is None
    (mail,) = await sent_mails(sql_db, clock)
    assert (mail.to, mail.subject) == (MARIA, "[Corner Shop] Your data are erased")
    assert "Hello Maria," in mail.body
    # Not even the confirmation is kept.
    assert traces(await dump(sql_db)) == set()


async def test_what_is_unfinished_goes_to_a_person_in_any_case(sql_db, clock, shop, maria):
    shop = replace(shop, erasure_needs_approval=False)
    talk = await stored_conversation(sql_db, customer_id=maria.id)
    await stored_order(sql_db, number="TC-5", customer_id=maria.id, status=OrderStatus.PAID)

    request = await ask(sql_db, clock, shop, talk, maria)

    assert "an order is open (TC-5)" in request.text
    async with sql_db.reading() as work:
        assert (await work.customers.get(maria.id)).erased_at is None
