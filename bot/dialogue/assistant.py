"""The Rasa agent, embedded: understands a message, and answers it within a turn."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import re
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import structlog
from rasa.core.agent import Agent
from rasa.core.channels.channel import OutputChannel, UserMessage
from rasa.core.lock_store import InMemoryLockStore
from rasa.shared.core.constants import REQUESTED_SLOT
from threadpoolctl import threadpool_limits

from bot.core.conversations import Card, Choice, Image, Message, Owner, Reply
from bot.dialogue.actions import InProcessActions, action_failures
from bot.dialogue.clauses import find_wishes, in_order
from bot.dialogue.pronouns import about_the_order, asks_where_it_is
from bot.dialogue.shortcuts import take_shortcuts
from bot.dialogue.tracker_store import TurnTrackerStore
from bot.errors import TurnFailed
from bot.services.calling import Calling, why_a_person
from bot.services.turn_context import TurnContext, current_turn

RANKED_INTENTS_KEPT = 5
PERSON = "/contact_human_agent"
OWN_WORDS = ("details", "address")
SURE = 0.8
_YES = re.compile(r"\b(?:yes|yeah|yep|yup|sure|please|pls|do it|do that|go ahead|oo|opo|sige)\b", re.IGNORECASE)
# What looks like one of Rasa's commands or payloads is no wish, and never a yes.
_COMMAND = re.compile(r"/+\s*[a-z]+(?:_[a-z]+)*\s*(?:\{.*\}?)?", re.DOTALL)

log = logging.getLogger(__name__)


class ReplyCollector(OutputChannel):
    """Keeps what the bot says, in order, as replies."""

    def __init__(self) -> None:
        self.replies: list[Reply] = []
        self._questions: list[Reply] = []

    @classmethod
    def name(cls) -> str:
        return "collector"

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
        before = len(self.replies)
        # Rasa would send it by itself, and without the text that it goes with.
        image, alt = message.pop("image", None), str(message.pop("image_alt", None) or "")
        cards = tuple(Card.of(card) for card in message.pop("cards", None) or ())
        await super().send_response(recipient_id, message)
        if image or cards:
            said = self.replies.pop() if len(self.replies) > before else Reply("")
            self.replies.append(replace(said, image=Image(str(image), alt) if image else None, cards=cards))
        if message.get("is_question"):
            self._questions += self.replies[before:]

    def drop_questions(self) -> None:
        """Leave out what was asked so far: it is asked again after what follows."""
        self.replies = [reply for reply in self.replies if not any(reply is one for one in self._questions)]

    async def send_text_message(self, recipient_id: str, text: str, **kwargs: Any) -> None:
        self.replies.append(Reply(text.strip()))

    async def send_text_with_buttons(
        self, recipient_id: str, text: str, buttons: list[dict[str, Any]], **kwargs: Any
    ) -> None:
        choices = tuple(Choice(str(button["title"]), str(button["payload"])) for button in buttons)
        self.replies.append(Reply(text.strip(), choices))


class Assistant:
    """One loaded model. Answers one conversation's messages in order; different conversations may run at once."""

    def __init__(self, agent: Agent, store: TurnTrackerStore, name: str) -> None:
        self._agent = agent
        self._store = store
        self.name = name
        self._parsing = ThreadPoolExecutor(max_workers=1, thread_name_prefix="parse")

    @classmethod
    def load(cls, model_path: Path) -> Assistant:
        """Load a trained model; takes seconds. Raises FileNotFoundError without one."""
        if not model_path.is_file():
            raise FileNotFoundError(f"there is no model at {model_path}: train it with `make train`")
        # Rasa logs what customers write at this logger's lower levels, to standard output, unless it is told not to.
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
        take_shortcuts()
        store = TurnTrackerStore()
        agent = Agent.load(
            str(model_path),
            tracker_store=store,
            # Our lease keeps a conversation to one worker; this lock is never waited for.
            lock_store=InMemoryLockStore(),
            action_endpoint=InProcessActions(),
        )
        assert agent.processor is not None  # noqa: S101 - Agent.load raises otherwise
        # Rasa wraps every store in one that falls back to memory, and so loses conversations without a word.
        store.domain = agent.processor.domain
        agent.tracker_store = agent.processor.tracker_store = store
        agent.processor.on_circuit_break = _circuit_broken
        # On a message, more threads of linear algebra gain nothing: they spin, which took half of a worker's processor.
        threadpool_limits(limits=1)
        assistant = cls(agent, store, agent.processor.model_metadata.model_id)
        assistant._warm_up()
        # What is there now stays: without it, the collector of garbage has a tenth of the work.
        gc.collect()
        gc.freeze()
        return assistant

    def _warm_up(self) -> None:
        # The first message pays for lazy imports and memory; better now than with a customer waiting.
        self._parse("where is my order 12345")

    async def understand(self, message: Message) -> dict[str, Any]:
        """Rasa's parse of the message. A choice is what it was offered as; all else is text, slashes included."""
        if message.payload is not None:
            return parse_payload(message.payload)
        return await asyncio.get_running_loop().run_in_executor(self._parsing, self._parse_wishes, message.text)

    def _parse_wishes(self, text: str) -> dict[str, Any]:
        whole = self._parse(text)
        wishes = find_wishes(whole, text, self._parse)
        return {**whole, "wishes": in_order(wishes)} if wishes else whole

    def _parse(self, text: str) -> dict[str, Any]:
        assert self._agent.processor is not None  # noqa: S101
        if _COMMAND.fullmatch(text.strip()):
            intent = {"name": "out_of_scope", "confidence": 1.0}
            return {"text": text, "intent": intent, "intent_ranking": [intent], "entities": []}
        # Rasa takes a leading slash for a command, and whoever types one would choose the intent and its entities.
        parsed = _result(self._agent.processor.parse_message(UserMessage(text.lstrip("/ ") or "?")))
        parsed["text"] = text
        parsed["intent_ranking"] = parsed.get("intent_ranking", [])[:RANKED_INTENTS_KEPT]
        return parsed

    async def answer(self, context: TurnContext, message: Message, parsed: dict[str, Any]) -> list[Reply]:
        """Run the dialogue and its actions within the turn, and return what to say.

        Raises TurnFailed when an action failed, went over its time or left the bot without a word; nothing of the
        turn may be committed then.
        """
        if (picked := await _picked_by_a_yes(context, message, parsed)) is not None:
            message, parsed = picked
        collector = ReplyCollector()
        failures: list[BaseException] = []
        turn_token, failures_token = current_turn.set(context), action_failures.set(failures)
        try:
            for wish in await self._wishes(context, message, parsed):
                if context.conversation.owner is not Owner.BOT:
                    # The wish before has brought it to people, who see the rest of the message.
                    break
                collector.drop_questions()
                await self._agent.handle_message(
                    UserMessage(
                        message.payload or str(wish["text"]),
                        collector,
                        context.conversation.id,
                        parse_data=wish,
                        input_channel=context.conversation.channel,
                        message_id=message.id,
                    )
                )
                if failures:
                    break
        finally:
            self._store.forget(context.conversation.id)
            current_turn.reset(turn_token)
            action_failures.reset(failures_token)
        if failures:
            raise TurnFailed(f"an action failed: {type(failures[0]).__name__}") from failures[0]
        replies = [reply for reply in collector.replies if reply.text]
        if not replies:
            raise TurnFailed("the dialogue had nothing to say")
        return replies

    async def _wishes(self, context: TurnContext, message: Message, parsed: dict[str, Any]) -> list[dict[str, Any]]:
        """The wishes to answer one after the other; one message where words of the customer's own were asked for.

        A wish that is for people is answered by calling one.
        """
        wishes: list[dict[str, Any]] = parsed.get("wishes") or []
        if not wishes and asks_where_it_is(message, parsed):
            parsed = about_the_order(parsed, await self._store.retrieve(context.conversation.id))
        called = [await self._called_for(context, message, wish) for wish in wishes or [parsed]]
        if (wishes or any(called)) and await self._asked_for_own_words(context):
            return [parsed]
        if (calling := next(filter(None, called), None)) is not None:
            context.calling = calling
            intent = {"name": PERSON.removeprefix("/"), "confidence": 1.0}
            return [{**parsed, "wishes": None, "intent": intent, "intent_ranking": [intent]}]
        return wishes or [parsed]

    async def _called_for(self, context: TurnContext, message: Message, wish: dict[str, Any]) -> Calling | None:
        text = message.text if message.payload is None else ""
        name = str(wish["intent"]["name"])
        return await why_a_person(context.work, context.clock, context.shop, context.conversation, name, text)

    async def _asked_for_own_words(self, context: TurnContext) -> bool:
        tracker = await self._store.retrieve(context.conversation.id)
        return bool(tracker and tracker.active_loop and tracker.get_slot(REQUESTED_SLOT) in OWN_WORDS)

    def close(self) -> None:
        """Stop the parsing thread."""
        self._parsing.shutdown(wait=False, cancel_futures=True)


async def _picked_by_a_yes(
    context: TurnContext, message: Message, parsed: dict[str, Any]
) -> tuple[Message, dict[str, Any]] | None:
    """What a plain "yes" stands for when the bot had just offered a single choice; None when it had not."""
    if message.payload is not None or parsed["intent"]["name"] != "affirm" or parsed["intent"]["confidence"] < SURE:
        return None
    before = await context.work.messages.after(context.conversation.id, max(message.seq - 2, 0), 1)
    if not before or before[0].seq != message.seq - 1:
        return None
    offered = [choice.payload for choice in before[0].choices]
    # A person is offered beside many things.
    offered = [payload for payload in offered if payload != PERSON] or offered
    offered = [payload for payload in offered if not payload.startswith("/deny")]
    if len(offered) != 1:
        return None
    payload = offered[0]
    # "OK" to an answer that ends with an offer is no yes to it; to a question it is.
    is_offer = not payload.startswith("/provide_details")
    if not before[0].text.endswith("?") and not (is_offer and _YES.search(message.text)):
        return None
    return replace(message, payload=payload), parse_payload(payload)


def parse_payload(payload: str) -> dict[str, Any]:
    """The parse of a choice we offered: `/intent{"entity": "value"}`, as Rasa writes them."""
    name, brace, entities = payload.removeprefix("/").partition("{")
    values: dict[str, Any] = json.loads(brace + entities) if brace else {}
    intent = {"name": name, "confidence": 1.0}
    return {
        "text": payload,
        "picked": True,
        "intent": intent,
        "intent_ranking": [intent],
        "entities": [
            {"entity": entity, "value": value, "start": 0, "end": 0, "extractor": "choice"}
            for entity, value in values.items()
        ],
    }


def _result(coroutine: Coroutine[Any, Any, dict[str, Any]]) -> dict[str, Any]:
    """The result of a coroutine that waits for nothing, as parsing with a local model does: no event loop needed."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        value: dict[str, Any] = done.value
        return value
    raise RuntimeError("understanding a message waited for something outside this process")


def _circuit_broken(*_args: Any) -> None:
    action_failures.get().append(TurnFailed("the dialogue did not come to an end"))
