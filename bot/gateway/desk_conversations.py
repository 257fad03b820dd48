"""The desk's conversations: lists, one whole, and what people do with it."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Literal

from bot.core.agents import AgentId
from bot.core.conversations import clean_text
from bot.core.desk_records import Listed, ListQuery, normalise_label
from bot.core.handoffs import Step
from bot.errors import DeskRefused
from bot.gateway import settings
from bot.gateway.api_requests import Model
from bot.gateway.api_values import Moment
from bot.gateway.desk_answers import moment, note_answer, row_answer, view_answer
from bot.gateway.desk_endpoints import Answer, Call, DeskEndpoints
from bot.gateway.desk_live import DESK
from bot.gateway.desk_values import ClientId, Seq, Short, Typed
from bot.services import desk
from bot.services.desk_views import list_conversations, record_seen, view_conversation
from bot.services.standings import Standing

PAGE = 50
# Passed on to whoever is free, it is about nothing that only some know.
ANYONE = "anyone"

endpoints = DeskEndpoints()


class ListParameters(Model):
    """Which conversations to list."""

    owner: Literal["queue", "agent", "bot", "callback", "resolved"] | None = None
    mine: Literal[0, 1] = 0
    q: Typed | None = None
    label: Short | None = None
    before: Typed | None = None


class ViewParameters(Model):
    """Which messages to show: those before one, or the last."""

    before: Seq | None = None


class ReplyBody(Model):
    """What to say to the customer."""

    text: Typed
    client_id: ClientId


class NoteBody(Model):
    """What to tell the others at the desk."""

    text: Typed
    client_id: ClientId | None = None


class TransferBody(Model):
    """To whom, or to whoever knows the topic."""

    agent_id: Short | None = None
    topic: Short | None = None
    note: Typed | None = None


class SnoozeBody(Model):
    """Until when; null: no longer."""

    until: Moment | None


class LabelsBody(Model):
    """What to put on, and what to take off."""

    add: tuple[Short, ...] = ()
    remove: tuple[Short, ...] = ()


class BlockBody(Model):
    """Whether nobody answers any more."""

    blocked: bool = True


class ReadBody(Model):
    """How far it was read."""

    seq: Seq


class Nothing(Model):
    """Nothing needs to be said."""


@endpoints.add("GET", "/conversations")
async def get_conversations(call: Call) -> Answer:
    """A page of a list; `next` is where it goes on."""
    asked = call.query(ListParameters)
    text = clean_text(asked.q)[:100] if asked.q else ""
    query = ListQuery(
        owner=asked.owner,
        agent_id=call.agent.id if asked.mine else None,
        text=text or None,
        label=normalise_label(asked.label) if asked.label else None,
        before=_place(asked.before) if asked.before else None,
        limit=PAGE + 1,
    )
    found = await list_conversations(call.db, query)
    page = found[:PAGE]
    await _note_seen(call, page, "search" if query.text else "list")
    now = call.clock.now()
    return {
        "conversations": [row_answer(one, call.agent, now) for one in page],
        "next": _cursor(page[-1].place) if len(found) > PAGE else None,
    }


@endpoints.add("GET", "/conversations/{id}")
async def get_conversation(call: Call) -> Answer:
    """A conversation whole, with the customer beside it. Whoever looks is in the audit log."""
    before = call.query(ViewParameters).before
    view = await view_conversation(
        *(call.db, call.clock, call.shop, call.agent, call.conversation_id),
        before=before,
        noted=call.request.app[DESK].noted_reads,
    )
    viewers = call.request.app[DESK].viewers_of(call.conversation_id)
    return view_answer(view, call.agent, call.clock.now(), viewers)


@endpoints.add("POST", "/conversations/{id}/claim")
async def claim(call: Call) -> Answer:
    """Take it from the line, or take a call-back up."""
    return await _step(call, Step.CLAIM)


@endpoints.add("POST", "/conversations/{id}/takeover")
async def take_over(call: Call) -> Answer:
    """Step in while the bot has it."""
    return await _step(call, Step.TAKE_OVER)


@endpoints.add("POST", "/conversations/{id}/return")
async def give_back(call: Call) -> Answer:
    """Let the bot go on."""
    return await _step(call, Step.RETURN)


@endpoints.add("POST", "/conversations/{id}/resolve")
async def resolve(call: Call) -> Answer:
    """It is dealt with."""
    return await _step(call, Step.RESOLVE)


@endpoints.add("POST", "/conversations/{id}/called")
async def called(call: Call) -> Answer:
    """The customer was called back."""
    return await _step(call, Step.CALLED)


@endpoints.add("POST", "/conversations/{id}/transfer")
async def transfer(call: Call) -> Answer:
    """Pass it on to somebody, or to whoever knows a topic."""
    body = await call.body(TransferBody)
    if (body.agent_id is None) is (body.topic is None):
        raise DeskRefused("Choose either a colleague or a topic.")
    step = Step.TRANSFER if body.agent_id else Step.TRANSFER_TEAM
    to = AgentId(clean_text(body.agent_id)[:32]) if body.agent_id else None
    topic = normalise_label(clean_text(body.topic)) if body.topic else None
    if step is Step.TRANSFER_TEAM and topic is None:
        raise DeskRefused("A topic has 1 to 40 characters.")
    if topic == ANYONE:
        topic = None
    standing = await desk.step(
        call.db, call.clock, call.shop, call.agent, call.conversation_id, step, to=to, topic=topic, note=body.note
    )
    return _stands(standing)


@endpoints.add("POST", "/conversations/{id}/pass")
async def pass_offer(call: Call) -> Answer:
    """Let an offer go to the next one."""
    await call.body(Nothing)
    await desk.pass_offer(call.db, call.agent, call.conversation_id)
    return {}


@endpoints.add("POST", "/conversations/{id}/reply")
async def reply(call: Call) -> Answer:
    """Say something to the customer. Safe to repeat with the same client_id."""
    body = await call.body(ReplyBody)
    call.request.app[settings.MESSAGE_LIMIT].spend(f"desk {call.agent.id}")
    message = await desk.reply(call.db, call.clock, call.agent, call.conversation_id, body.text, body.client_id)
    return {"seq": message.seq, "at": moment(message.at)}


@endpoints.add("POST", "/conversations/{id}/note")
async def add_note(call: Call) -> Answer:
    """Tell the others at the desk something that no customer sees."""
    body = await call.body(NoteBody)
    note = await desk.add_note(call.db, call.clock, call.agent, call.conversation_id, body.text, body.client_id)
    return {"note": note_answer(note, {call.agent.id: call.agent})}


@endpoints.add("POST", "/conversations/{id}/snooze")
async def snooze(call: Call) -> Answer:
    """Put it off."""
    body = await call.body(SnoozeBody)
    await desk.snooze(call.db, call.clock, call.agent, call.conversation_id, body.until)
    return {"snoozed_until": moment(body.until)}


@endpoints.add("POST", "/conversations/{id}/labels")
async def put_labels(call: Call) -> Answer:
    """Put labels on and take them off."""
    body = await call.body(LabelsBody)
    return {"labels": await desk.label(call.db, call.conversation_id, body.add[:50], body.remove[:50])}


@endpoints.add("POST", "/conversations/{id}/block")
async def block(call: Call) -> Answer:
    """Answer nothing here any more, or do so again."""
    body = await call.body(BlockBody)
    await desk.block(call.db, call.clock, call.shop, call.agent, call.conversation_id, blocked=body.blocked)
    return {"blocked": body.blocked}


@endpoints.add("POST", "/conversations/{id}/typing")
async def typing(call: Call) -> Answer:
    """Show the customer that an answer is being written."""
    await call.body(Nothing)
    await desk.show_typing(call.db, call.agent, call.conversation_id)
    return {}


@endpoints.add("POST", "/conversations/{id}/read")
async def read(call: Call) -> Answer:
    """Note how far it was read at the desk."""
    body = await call.body(ReadBody)
    await desk.read_up_to(call.db, call.conversation_id, body.seq)
    return {}


async def _step(call: Call, wanted: Step) -> Answer:
    await call.body(Nothing)
    standing = await desk.step(call.db, call.clock, call.shop, call.agent, call.conversation_id, wanted)
    return _stands(standing)


def _stands(standing: Standing) -> Answer:
    return {"stage": standing.stage.value, "owner": standing.conversation.owner.value}


async def _note_seen(call: Call, page: Sequence[Listed], action: str) -> None:
    noted, now = call.request.app[DESK].noted_names, call.clock.now()
    customers = [one.conversation.customer_id for one in page]
    looks = [(call.agent.id, one) for one in dict.fromkeys(customers) if one is not None]
    # A search is noted each time.
    new = looks if action == "search" else noted.due(looks, now)
    await record_seen(call.db, call.clock, call.agent, [one for _, one in new], action)
    noted.note(new, now)


def _cursor(place: tuple[str, ...]) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def _place(cursor: str) -> tuple[str, ...]:
    try:
        place = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, RecursionError):
        place = None
    if not isinstance(place, list) or not all(isinstance(one, str) for one in place):
        raise DeskRefused("This page of the list cannot be found. Load the list again.")
    return tuple(place)
