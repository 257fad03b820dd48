"""People at the desk take, answer, pass on and close conversations, through the real gateway."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from bot.core.agents import Role
from bot.core.conversations import ConversationId
from tests.gateway.desk_client import hired, wants_a_person
from tests.gateway.desk_fixtures import ana, ben, desk_gateway, helped, waiting

__all__ = ["ana", "ben", "desk_gateway", "helped", "waiting"]


async def handoff_of(gateway, chat):
    async with gateway.store.reading() as work:
        return await work.handoffs.open_for(ConversationId(chat.conversation_id))


# Lists


async def test_who_waits_is_in_the_queue_with_a_place_and_what_was_said_last(ana, waiting):
    await waiting.say("Is anybody there?")

    (row,) = (await ana.get("conversations", owner="queue"))["conversations"]

    assert (row["id"], row["stage"], row["owner"], row["position"]) == (waiting.conversation_id, "queue", "queue", 1)
    assert (row["reason"], row["agent"], row["channel"]) == ("asked", None, "web")
    assert (row["last"]["author"], row["last"]["text"]) == ("customer", "Is anybody there?")
    assert row["unread"] == 1
    assert row["waiting_since"]


async def test_the_language_of_the_chat_is_shown_with_a_person_or_without(desk_gateway, ana):
    chat = await desk_gateway.chat(language="es-MX")
    await chat.ask("Hola")
    (row,) = (await ana.get("conversations", owner="bot"))["conversations"]
    assert row["language"] == "es"

    await wants_a_person(desk_gateway, chat.conversation_id)

    (row,) = (await ana.get("conversations", owner="queue"))["conversations"]
    assert row["language"] == "es"


async def test_a_claimed_conversation_is_mine_and_in_the_queue_no_more(ana, ben, helped):
    mine = await ana.listed(owner="agent", mine="1")

    assert mine == [helped.conversation_id]
    assert await ana.listed(owner="queue") == []
    assert await ben.listed(mine="1") == []
    assert await ben.listed(owner="agent") == [helped.conversation_id]


async def test_the_line_is_first_come_first_served_and_the_urgent_before(desk_gateway, ana):
    chats = [await desk_gateway.chat() for _ in range(3)]
    for number, chat in enumerate(chats):
        await chat.ask("Hello")
        await wants_a_person(desk_gateway, chat.conversation_id, priority=1 if number == 2 else 0)

    rows = (await ana.get("conversations", owner="queue"))["conversations"]

    assert [row["id"] for row in rows] == [chats[number].conversation_id for number in (2, 0, 1)]
    assert [row["position"] for row in rows] == [1, 2, 3]


async def test_a_list_goes_on_where_its_page_ended(desk_gateway, ana, monkeypatch):
    monkeypatch.setattr("bot.gateway.desk_conversations.PAGE", 2)
    chats = [await desk_gateway.chat() for _ in range(5)]
    for chat in chats:
        await chat.ask("Hello")
        await wants_a_person(desk_gateway, chat.conversation_id)
    for query in ({"owner": "queue"}, {}):
        pages, before = [], None
        while not pages or before:
            page = await ana.get("conversations", **query, **({"before": before} if before else {}))
            pages.append([row["id"] for row in page["conversations"]])
            before = page["next"]

        assert [len(page) for page in pages] == [2, 2, 1]
        assert {id_ for page in pages for id_ in page} == {chat.conversation_id for chat in chats}


@pytest.mark.parametrize("before", ["nonsense", "W10", "WzFd", "e30", "WyJ4IiwgInkiXQ"])
async def test_a_place_that_is_none_breaks_nothing(ana, waiting, before):
    status, answer = await ana.ask("GET", "conversations", params={"before": before})

    assert status in (200, 422)
    assert status == 422 or answer["conversations"] == []


async def test_conversations_are_found_by_words_and_only_by_those(desk_gateway, ana):
    mango, apple = await desk_gateway.chat(), await desk_gateway.chat()
    await mango.ask("My MANGO_tree 100% is late")
    await apple.ask("My apple tree is late")

    assert await ana.listed(q="mango_TREE 100%") == [mango.conversation_id]
    assert await ana.listed(q="mango%") == []
    assert await ana.listed(q="' OR 1=1 --") == []
    assert await ana.listed(q=apple.conversation_id) == [apple.conversation_id]


async def test_a_page_of_a_list_is_two_queries_however_long(desk_gateway, ana, monkeypatch):
    from sqlalchemy import event

    chats = [await desk_gateway.chat() for _ in range(4)]
    for chat in chats:
        await chat.ask("Hello")
        await wants_a_person(desk_gateway, chat.conversation_id)
        await ana.do(chat.conversation_id, "labels", add=["vip", "late"])
    from bot.core.desk_records import ListQuery

    queries = []
    async with desk_gateway.store.reading() as work:
        # Only what is asked here: the gateway looks around by itself meanwhile.
        connection = work.desk._connection.sync_connection
        event.listen(connection, "before_cursor_execute", lambda _c, _k, statement, *_: queries.append(statement))
        found = await work.desk.page(ListQuery(owner="queue"))

    assert [one.labels for one in found] == [("late", "vip")] * 4
    # Which conversations, and then all that their rows show.
    assert len([query for query in queries if "SELECT" in query and "pg_" not in query]) == 2


# Taking and answering


async def test_the_customer_is_told_who_comes_and_reads_what_they_write(ana, waiting):
    await ana.do(waiting.conversation_id, "claim")
    await waiting.expect("owner", owner="agent")

    seq = await ana.reply(waiting.conversation_id, "<b>Hello</b> from Ana")

    frame = await waiting.expect("message", author="agent")
    assert (frame["seq"], frame["text"], frame["name"]) == (seq, "<b>Hello</b> from Ana", "Ana Cruz")
    assert "agent_id" not in frame
    assert ana.agent.id not in str(frame)


async def test_the_first_reply_is_noted_and_no_later_one(desk_gateway, ana, helped):
    await ana.reply(helped.conversation_id, "One")
    first = (await handoff_of(desk_gateway, helped)).first_reply_at
    await ana.reply(helped.conversation_id, "Two")

    assert first is not None
    assert (await handoff_of(desk_gateway, helped)).first_reply_at == first


async def test_a_reply_that_is_sent_again_is_sent_once(ana, helped):
    client_id = str(uuid.uuid4())

    first = await ana.reply(helped.conversation_id, "Hello", client_id)
    again = await ana.reply(helped.conversation_id, "Hello", client_id)
    other = await ana.post(f"conversations/{helped.conversation_id}/reply", {"text": "Bye", "client_id": client_id})

    assert first == again
    assert (other[0], other[1]["code"]) == (409, "duplicate_client_id")
    view = await ana.get(f"conversations/{helped.conversation_id}")
    assert [one["text"] for one in view["messages"] if one["author"] == "agent"] == ["Hello"]
    assert [one["client_id"] for one in view["messages"] if one["author"] == "agent"] == [client_id]


async def test_a_reply_that_is_sent_again_after_giving_back_is_not_lost(ana, helped):
    client_id = str(uuid.uuid4())
    seq = await ana.reply(helped.conversation_id, "Hello", client_id)
    await ana.do(helped.conversation_id, "return")

    assert await ana.reply(helped.conversation_id, "Hello", client_id) == seq


async def test_nobody_answers_in_a_conversation_that_is_not_theirs(ana, ben, waiting):
    body = {"text": "Hello", "client_id": str(uuid.uuid4())}
    path = f"conversations/{waiting.conversation_id}/reply"

    in_line = await ben.post(path, body)
    await ana.do(waiting.conversation_id, "claim")
    somebody_elses = await ben.post(path, body)
    await ana.do(waiting.conversation_id, "return")
    the_bots = await ana.post(path, body)

    assert [(status, answer["code"]) for status, answer in (in_line, somebody_elses, the_bots)] == [
        (409, "conflict")
    ] * 3
    view = await ana.get(f"conversations/{waiting.conversation_id}")
    assert not [one for one in view["messages"] if one["author"] == "agent"]


@pytest.mark.parametrize("text", ["", "   ", "x" * 2_001])
async def test_a_reply_says_something_and_not_too_much(ana, helped, text):
    body = {"text": text, "client_id": str(uuid.uuid4())}

    status, answer = await ana.post(f"conversations/{helped.conversation_id}/reply", body)

    assert (status, answer["code"]) in ((400, "bad_request"), (413, "too_long"))


async def test_claiming_twice_is_claiming_once(ana, helped):
    status, answer = await ana.post(f"conversations/{helped.conversation_id}/claim")

    assert (status, answer["stage"]) == (200, "agent")


async def test_whoever_is_away_takes_nothing_from_the_line(ana, waiting):
    await ana.ask("PUT", "presence", {"status": "away"})

    status, answer = await ana.post(f"conversations/{waiting.conversation_id}/claim")

    assert (status, answer["code"]) == (409, "conflict")
    assert "away" in answer["detail"]


async def test_somebody_steps_in_while_the_bot_has_it(desk_gateway, ana):
    chat = await desk_gateway.chat()
    await chat.ask("Hello")

    await ana.do(chat.conversation_id, "takeover")

    await chat.expect("owner", owner="agent")
    assert await ana.listed(mine="1") == [chat.conversation_id]


async def test_the_bot_is_silent_until_it_gets_the_conversation_back(desk_gateway, ana, helped):
    await helped.say("Where is my order?")
    await ana.reply(helped.conversation_id, "On its way.")
    await ana.do(helped.conversation_id, "return")
    await helped.expect("owner", owner="bot")

    assert await helped.ask("And now?") == "echo: And now?"
    view = await ana.get(f"conversations/{helped.conversation_id}")
    assert "echo: Where is my order?" not in [one["text"] for one in view["messages"]]


async def test_what_nobody_answered_the_bot_does_once_it_has_the_conversation_back(ana, helped):
    await helped.say("Where is my order?")
    await ana.do(helped.conversation_id, "return")

    await helped.expect("message", text="echo: Where is my order?")


async def test_a_resolved_conversation_is_the_bots_when_the_customer_writes_again(ana, helped):
    await ana.do(helped.conversation_id, "resolve")
    assert (await ana.get(f"conversations/{helped.conversation_id}"))["conversation"]["stage"] == "resolved"

    assert await helped.ask("One more thing") == "echo: One more thing"

    assert (await ana.get(f"conversations/{helped.conversation_id}"))["conversation"]["stage"] == "bot"


# Passing on


async def test_a_colleague_gets_it_with_a_note_that_the_customer_never_sees(ana, ben, helped):
    await ana.do(helped.conversation_id, "transfer", agent_id=ben.agent.id, note="She is in a hurry.")

    assert await ben.listed(mine="1") == [helped.conversation_id]
    assert await ana.listed(mine="1") == []
    view = await ben.get(f"conversations/{helped.conversation_id}")
    assert [(note["text"], note["agent"]["name"]) for note in view["notes"]] == [("She is in a hurry.", "Ana Cruz")]
    assert "hurry" not in str(view["messages"])
    await ben.reply(helped.conversation_id, "Hello from Ben")
    assert (await helped.expect("message", author="agent"))["name"] == "Ben Lim"


async def test_it_is_passed_on_to_a_team_by_waiting_in_line_for_it(ana, helped):
    await ana.do(helped.conversation_id, "transfer", topic="Returns")

    (row,) = (await ana.get("conversations", owner="queue"))["conversations"]
    assert (row["id"], row["topic"], row["agent"]) == (helped.conversation_id, "returns", None)


@pytest.mark.parametrize("to", [{}, {"agent_id": "nobody"}, {"agent_id": "x", "topic": "y"}, {"topic": " "}])
async def test_it_is_passed_on_to_somebody(ana, helped, to):
    status, _ = await ana.post(f"conversations/{helped.conversation_id}/transfer", to)

    assert status in (409, 422)
    assert await ana.listed(mine="1") == [helped.conversation_id]


async def test_a_transfer_that_fails_leaves_no_note(desk_gateway, ana, helped):
    absent, _ = await hired(desk_gateway, "cara@corner.example", "Cara", Role.AGENT)

    status, _ = await ana.post(
        f"conversations/{helped.conversation_id}/transfer", {"agent_id": absent.id, "note": "Over to you"}
    )

    assert status == 409
    assert (await ana.get(f"conversations/{helped.conversation_id}"))["notes"] == []


async def test_an_offer_that_is_let_go_is_nobodys(desk_gateway, ana, waiting):
    handoff = await handoff_of(desk_gateway, waiting)
    now = desk_gateway.clock.now()
    async with desk_gateway.store.transaction() as work:
        assert await work.handoffs.offer(handoff.id, ana.agent.id, now, now + timedelta(seconds=30))
    (offered,) = (await ana.get("conversations", owner="queue"))["conversations"]

    await ana.do(waiting.conversation_id, "pass")

    (row,) = (await ana.get("conversations", owner="queue"))["conversations"]
    assert (offered["offered_to_me"], row["offered_to_me"]) == (True, False)
    assert (await handoff_of(desk_gateway, waiting)).passed_by == (ana.agent.id,)


async def test_an_offer_to_somebody_else_stays_theirs(desk_gateway, ana, ben, waiting):
    handoff = await handoff_of(desk_gateway, waiting)
    now = desk_gateway.clock.now()
    async with desk_gateway.store.transaction() as work:
        await work.handoffs.offer(handoff.id, ana.agent.id, now, now + timedelta(seconds=30))

    await ben.do(waiting.conversation_id, "pass")

    (row,) = (await ana.get("conversations", owner="queue"))["conversations"]
    assert row["offered_to_me"]


# What is kept beside


async def test_a_note_is_for_the_desk_alone(ana, helped):
    client_id = str(uuid.uuid4())
    for _ in range(2):
        await ana.do(helped.conversation_id, "note", text="Call <b>her</b>", client_id=client_id)

    view = await ana.get(f"conversations/{helped.conversation_id}")

    assert [note["text"] for note in view["notes"]] == ["Call <b>her</b>"]
    assert view["notes"][0]["after_seq"] == view["conversation"]["seq"]
    assert "Call" not in str(view["messages"])


async def test_labels_are_put_on_and_taken_off_and_found_by(ana, helped):
    await ana.do(helped.conversation_id, "labels", add=["VIP  Customer", "late"])
    answer = await ana.do(helped.conversation_id, "labels", add=["vip customer"], remove=["late"])

    assert answer["labels"] == ["vip customer"]
    assert await ana.listed(label="VIP customer") == [helped.conversation_id]
    assert await ana.listed(label="late") == []


async def test_what_is_put_off_says_until_when(desk_gateway, ana, ben, helped):
    until = desk_gateway.clock.now() + timedelta(hours=2)

    await ana.do(helped.conversation_id, "snooze", until=until.isoformat())

    (row,) = (await ana.get("conversations", mine="1"))["conversations"]
    assert row["snoozed_until"] == until.isoformat()
    assert (await ben.post(f"conversations/{helped.conversation_id}/snooze", {"until": None}))[0] == 409
    await ana.do(helped.conversation_id, "snooze", until=None)
    assert (await ana.get("conversations", mine="1"))["conversations"][0]["snoozed_until"] is None


async def test_nothing_is_put_off_for_ever_or_until_yesterday(desk_gateway, ana, helped):
    for days in (-1, 31):
        until = desk_gateway.clock.now() + timedelta(days=days)
        status, _ = await ana.post(f"conversations/{helped.conversation_id}/snooze", {"until": until.isoformat()})
        assert status == 422


async def test_what_is_read_is_not_unread_and_never_goes_back(ana, helped):
    await helped.say("One")
    seq = await helped.say("Two")
    assert (await ana.get("conversations", mine="1"))["conversations"][0]["unread"] == 2

    await ana.do(helped.conversation_id, "read", seq=seq)
    await ana.do(helped.conversation_id, "read", seq=1)

    assert (await ana.get("conversations", mine="1"))["conversations"][0]["unread"] == 0


async def test_a_label_is_found_by_typing_it(desk_gateway, ana, helped):
    other = await desk_gateway.chat()
    await other.ask("Hello")
    await ana.do(helped.conversation_id, "labels", add=["Warranty claim"])

    assert await ana.listed(q="warranty") == [helped.conversation_id]
    assert await ana.listed(q="guarantee") == []


async def test_what_is_passed_on_is_unread_for_whoever_gets_it(ana, ben, helped):
    seq = await helped.say("One")
    await ana.do(helped.conversation_id, "read", seq=seq)

    await ana.do(helped.conversation_id, "transfer", agent_id=ben.agent.id)

    assert (await ben.get("conversations", mine="1"))["conversations"][0]["unread"] == 1


async def test_how_far_the_customer_has_read_is_seen(ana, helped):
    seq = await ana.reply(helped.conversation_id, "Hello")
    await helped.send({"type": "read", "seq": seq})
    await helped.say("I see")

    assert (await ana.get(f"conversations/{helped.conversation_id}"))["conversation"]["read_seq"] == seq


async def test_a_blocked_customer_is_told_and_answered_by_nobody(desk_gateway, ana, helped):
    await helped.expect("message", text="Ana Cruz has joined the conversation.")
    await ana.do(helped.conversation_id, "block")
    # Nothing but this: nobody is asked how it was who cannot answer.
    assert "nobody reads it" in (await helped.expect("message", author="system"))["text"]
    turns = desk_gateway.answerer.turns

    await helped.say("Hey!")

    view = await ana.get(f"conversations/{helped.conversation_id}")
    assert (view["conversation"]["blocked"], view["messages"][-1]["text"]) == (True, "Hey!")
    assert desk_gateway.answerer.turns == turns
    status, answer = await ana.post(f"conversations/{helped.conversation_id}/takeover")
    assert (status, answer["detail"]) == (409, "This conversation is blocked. Unblock it first.")
    await ana.do(helped.conversation_id, "block", blocked=False)
    assert "reads this conversation again" in (await helped.expect("message", author="system"))["text"]
    assert await helped.ask("Better?") == "echo: Better?"


async def test_what_a_colleague_has_only_they_can_block(ben, helped):
    status, answer = await ben.post(f"conversations/{helped.conversation_id}/block")

    assert (status, answer["code"]) == (409, "conflict")
    assert not (await ben.get(f"conversations/{helped.conversation_id}"))["conversation"]["blocked"]


async def test_a_conversation_that_there_is_not_is_not_found(ana):
    for path in ("conversations/nothing", "conversations/%00", "conversations/" + "x" * 500):
        status, answer = await ana.ask("GET", path)
        assert (status, answer["code"]) == (404, "not_found")


async def test_long_conversations_are_shown_page_by_page(desk_gateway, ana, helped, monkeypatch):
    monkeypatch.setattr("bot.services.desk_views.MESSAGES_SHOWN", 3)
    for number in range(4):
        await ana.reply(helped.conversation_id, f"{number}")

    last = await ana.get(f"conversations/{helped.conversation_id}")
    before = last["messages"][0]["seq"]
    earlier = await ana.get(f"conversations/{helped.conversation_id}", before=str(before))

    assert [one["text"] for one in last["messages"]] == ["1", "2", "3"]
    assert [one["seq"] for one in earlier["messages"]] == [before - 3, before - 2, before - 1]


async def test_choices_show_their_titles_and_not_what_they_do(desk_gateway, ana, waiting):
    from bot.core.conversations import Choice

    await desk_gateway.bot_says(waiting.conversation_id, "Pick", choices=(Choice("Yes", "/secret_payload"),))

    view = await ana.get(f"conversations/{waiting.conversation_id}")

    assert view["messages"][-1]["choices"] == [{"title": "Yes"}]
    assert "secret_payload" not in str(view)


async def test_desks_are_kept_apart_from_pages_that_frame_them(desk_gateway):
    async with desk_gateway.session.get(f"{desk_gateway.url}/desk") as response:
        assert response.status == 200
        assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
