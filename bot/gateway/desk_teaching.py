"""What the assistant is taught at the desk, and the texts that people there often write."""

from __future__ import annotations

from aiohttp import web

from bot.core.agents import Agent
from bot.core.conversations import ConversationId
from bot.core.desk_records import CannedReply, KnowledgeDraft
from bot.errors import ConversationNotFound
from bot.gateway.api_requests import Model
from bot.gateway.desk_answers import Json, mark_answer, moment
from bot.gateway.desk_endpoints import ID, Answer, Call, DeskEndpoints, Right
from bot.gateway.desk_values import Short, Typed
from bot.services import teaching

endpoints = DeskEndpoints()


class TeachBody(Model):
    """What a message was meant as."""

    intent: Short


class DraftBody(Model):
    """A question that the assistant should have an answer to."""

    question: Typed
    conversation_id: Short | None = None


class CannedBody(Model):
    """A text that is often written."""

    text: Typed


@endpoints.add("GET", "/intents")
async def get_intents(_call: Call) -> Answer:
    """What a message can have been meant as."""
    return {"intents": list(teaching.INTENTS)}


@endpoints.add("POST", "/messages/{id}/{seq}/teach")
async def teach(call: Call) -> Answer:
    """Say what a message was meant as."""
    body = await call.body(TeachBody)
    mark = await teaching.teach(call.db, call.clock, call.agent, call.conversation_id, _seq(call), body.intent)
    return mark_answer(mark, {call.agent.id: call.agent})


@endpoints.add("GET", "/teaching", Right.ADMIN)
async def get_teaching(call: Call) -> Answer:
    """What was taught, newest first, to be looked through."""
    async with call.db.reading() as work:
        agents: dict[str, Agent] = {agent.id: agent for agent in await work.agents.all()}
    return {"teaching": [mark_answer(mark, agents) for mark in await teaching.marks(call.db)]}


@endpoints.add("GET", "/teaching/export", Right.ADMIN)
async def export_teaching(call: Call) -> Answer:
    """The same as Rasa's training examples."""
    text = teaching.as_examples(await teaching.marks(call.db))
    headers = {"Content-Disposition": 'attachment; filename="taught.yml"'}
    return web.Response(text=text, content_type="application/yaml", headers=headers)


@endpoints.add("DELETE", "/teaching/{id}/{seq}", Right.ADMIN)
async def delete_mark(call: Call) -> Answer:
    """Drop what a message of a conversation was meant as."""
    await teaching.forget_mark(call.db, call.conversation_id, _seq(call))
    return {}


@endpoints.add("POST", "/knowledge")
async def draft(call: Call) -> Answer:
    """Keep a question that waits for an answer."""
    body = await call.body(DraftBody)
    about = ConversationId(body.conversation_id) if body.conversation_id else None
    if about is not None and not ID.fullmatch(about):
        raise ConversationNotFound
    return _draft(await teaching.draft_question(call.db, call.clock, call.agent, body.question, about))


@endpoints.add("GET", "/knowledge")
async def get_drafts(call: Call) -> Answer:
    """The questions that wait for an answer, newest first."""
    return {"knowledge": [_draft(one) for one in await teaching.drafts(call.db)]}


@endpoints.add("DELETE", "/knowledge/{id}", Right.ADMIN)
async def delete_draft(call: Call) -> Answer:
    """Drop a question."""
    await teaching.forget_draft(call.db, call.name("id"))
    return {}


@endpoints.add("GET", "/canned")
async def get_canned(call: Call) -> Answer:
    """The texts that are often written."""
    return {"canned": [_canned(one) for one in await teaching.canned_replies(call.db)]}


@endpoints.add("PUT", "/canned/{shortcut}")
async def put_canned(call: Call) -> Answer:
    """Keep a text under a shortcut."""
    body = await call.body(CannedBody)
    shortcut = call.request.match_info["shortcut"]
    return _canned(await teaching.keep_canned_reply(call.db, call.clock, call.agent, shortcut, body.text))


@endpoints.add("DELETE", "/canned/{shortcut}")
async def delete_canned(call: Call) -> Answer:
    """Forget a text."""
    await teaching.remove_canned_reply(call.db, call.request.match_info["shortcut"])
    return {}


def _seq(call: Call) -> int:
    seq = call.name("seq")
    if not (seq.isascii() and seq.isdigit() and 0 < int(seq[:10]) < 2**31):
        raise ConversationNotFound
    return int(seq[:10])


def _draft(one: KnowledgeDraft) -> Json:
    return {"id": one.id, "question": one.question, "conversation_id": one.conversation_id, "at": moment(one.at)}


def _canned(one: CannedReply) -> Json:
    return {"shortcut": one.shortcut, "text": one.text, "changed_at": moment(one.changed_at)}
