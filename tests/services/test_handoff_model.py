"""Passing conversations between the bot and people, whatever happens in whatever order: what never comes of it.

Some sequences on each database in the suite; HANDOFF_EXAMPLES=2000 runs as many as you like.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule
from sqlalchemy import update

from bot.core.agents import Presence
from bot.core.conversations import Author, ConversationEvent, Message, Owner, Reply, TurnState
from bot.core.feedback import FeedbackPolicy, Survey
from bot.core.handoffs import TRANSITIONS, HandoffReason, HandoffState, Stage, Step
from bot.errors import BotError, LeaseLost, StepRefused, UnknownChoice
from bot.services import desk
from bot.services.conversations import end_conversation, receive_message
from bot.services.handoff_leaving import leave_by_erasure, leave_by_logging_out, leave_by_stopping
from bot.services.handoffs import request_handoff, take_step
from bot.services.ids import new_id
from bot.services.sign_out import sign_out
from bot.services.standings import Standing, standing_of
from bot.services.turns import begin_turn, claim_turn, finish_turn, give_up_turn
from bot.services.waiting import look_after_line
from bot.storage import tables
from tests.builders import a_shop, an_inbound, stored_conversation
from tests.fakes import FakeClock
from tests.services.desk import ANA, BEN
from tests.services.state_machines import DatabaseMachine, run_on_database

EXAMPLES = int(os.environ.get("HANDOFF_EXAMPLES", "10"))
STEPS = 25

CONVERSATIONS = st.integers(0, 1)
AGENTS = st.sampled_from(["ana", "ben"])
BY_NAME = {"ana": ANA, "ben": BEN}
SPANS = st.sampled_from([timedelta(seconds=seconds) for seconds in (1, 20, 40, 60, 200, 1_000, 1_900, 36_000)])
LONGEST_SNOOZE = timedelta(hours=1)


class Desk(DatabaseMachine):
    """Two customers, the bot, two agents, time, and processes that die half-way."""

    loop: asyncio.AbstractEventLoop
    db: Any

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    @initialize(always_open=st.booleans())
    def begin(self, always_open: bool) -> None:
        self.clock, self.turns = FakeClock(), []
        # What survives a power cut is not tested here, and waiting for the disk is most of the time.
        self.db.transaction = partial(type(self.db).transaction, self.db, durable=False)
        shop = a_shop(feedback=FeedbackPolicy(surveys=frozenset({Survey.CSAT})))
        self.shop = replace(shop, desk=replace(shop.desk, always_open=always_open))
        self.run(self.clean())
        self.conversations = [self.run(stored_conversation(self.db)) for _ in range(2)]
        self.seen = [0, 0]
        self.owners = self.run(self.standings())

    async def clean(self) -> None:
        """What an earlier sequence left behind is over, and both agents are at their desks."""
        now, handoffs, conversations = self.clock.now(), tables.handoffs, tables.conversations
        async with self.db.transaction() as work:
            over = {"state": "closed", "closed_at": now, "offered_to": None, "offered_until": None}
            connection = work.conversations._connection
            await connection.execute(update(handoffs).where(handoffs.c.closed_at.is_(None)).values(**over))
            nobodys = {"next_turn_at": None, "lease_holder": None, "lease_expires_at": None}
            await connection.execute(update(conversations).values(**nobodys))
            for agent in (ANA, BEN):
                if not await work.agents.add(agent):
                    await work.agents.save(agent)

    async def standings(self) -> list[Any]:
        async with self.db.reading() as work:
            return [
                await standing_of(work, await work.conversations.get(conversation.id))
                for conversation in self.conversations
            ]

    # The customer

    @rule(one=CONVERSATIONS)
    def write(self, one: int) -> None:
        self.run(receive_message(self.db, self.clock, self.conversations[one].id, an_inbound("Hello?"), self.shop))

    @rule(one=CONVERSATIONS, payload=st.sampled_from(["/wait_on", "/leave_message", "/leave_line"]))
    def pick(self, one: int, payload: str) -> None:
        inbound = an_inbound("", payload=payload)
        try:
            self.run(receive_message(self.db, self.clock, self.conversations[one].id, inbound, self.shop))
        except UnknownChoice:
            pass

    @rule(one=CONVERSATIONS)
    def ask(self, one: int) -> None:
        async def do() -> None:
            async with self.db.transaction() as work:
                locked = await work.conversations.lock(self.conversations[one].id)
                await request_handoff(work, self.clock, self.shop, locked, HandoffReason.LOW_RATING)

        self.run(do())

    @rule(one=CONVERSATIONS)
    def end_the_chat(self, one: int) -> None:
        self.run(end_conversation(self.db, self.clock, self.shop, self.conversations[one].id))

    @rule(one=CONVERSATIONS)
    def log_out(self, one: int) -> None:
        async def do() -> None:
            async with self.db.transaction() as work:
                await sign_out(work, self.clock, await work.conversations.lock(self.conversations[one].id))

        self.run(do())
        self.nothing_is_lost_and_nobody_is_talked_over()
        assert self.owners[one].stage not in (Stage.QUEUE, Stage.AGENT)
        # Whoever writes next begins another one.
        self.conversations[one] = self.run(stored_conversation(self.db))
        self.seen[one], self.owners = 0, self.run(self.standings())

    @rule(one=CONVERSATIONS, leave=st.sampled_from([leave_by_logging_out, leave_by_stopping, leave_by_erasure]))
    def leave(self, one: int, leave: Any) -> None:
        async def do() -> None:
            async with self.db.transaction() as work:
                await leave(work, self.clock, await work.conversations.lock(self.conversations[one].id))

        self.run(do())

    # The bot

    @rule()
    def claim_a_turn(self) -> None:
        turn = self.run(claim_turn(self.db, self.clock, new_id()))
        if turn is not None:
            assert turn.conversation.owner is Owner.BOT
            self.turns.append(turn)

    @precondition(lambda self: getattr(self, "turns", None))
    @rule(asks=st.booleans(), dies=st.booleans())
    def answer(self, asks: bool, dies: bool) -> None:
        turn = self.turns.pop()
        try:
            self.run(self.answered(turn, asks, dies))
        except (LeaseLost, InterruptedError):
            pass

    async def answered(self, turn: Any, asks: bool, dies: bool) -> None:
        async with self.db.transaction() as work:
            conversation = await begin_turn(work, self.clock, turn)
            if conversation is None:
                return
            if asks:
                reason = HandoffReason.ASKED
                conversation = (await request_handoff(work, self.clock, self.shop, conversation, reason)).conversation
            await finish_turn(work, self.clock, self.shop, turn, [Reply("Hi!")], conversation)
            if dies:
                raise InterruptedError

    @precondition(lambda self: getattr(self, "turns", None))
    @rule()
    def give_up(self) -> None:
        try:
            self.run(give_up_turn(self.db, self.clock, self.shop, self.turns.pop()))
        except LeaseLost:
            pass

    # The agents

    @rule(one=CONVERSATIONS, agent=AGENTS, what=st.sampled_from(Step), topic=st.sampled_from([None, "returns"]))
    def step(self, one: int, agent: str, what: Step, topic: str | None) -> None:
        other = BEN if agent == "ana" else ANA
        conversation_id, by = self.conversations[one].id, BY_NAME[agent]
        try:
            self.run(desk.step(self.db, self.clock, self.shop, by, conversation_id, what, to=other.id, topic=topic))
        except StepRefused:
            pass

    @rule(one=CONVERSATIONS, agent=AGENTS, what=st.sampled_from(Step))
    def step_and_die(self, one: int, agent: str, what: Step) -> None:
        async def do() -> None:
            async with self.db.transaction() as work:
                locked = await work.conversations.lock(self.conversations[one].id)
                await take_step(work, self.clock, self.shop, locked, what, by=BY_NAME[agent])
                raise InterruptedError

        before = self.run(self.standings())
        try:
            self.run(do())
        except (StepRefused, InterruptedError):
            pass
        assert self.run(self.standings()) == before

    @rule(one=CONVERSATIONS, agent=AGENTS)
    def reply(self, one: int, agent: str) -> None:
        try:
            self.run(desk.reply(self.db, self.clock, BY_NAME[agent], self.conversations[one].id, "Hello!", new_id()))
        except StepRefused:
            pass

    @rule(one=CONVERSATIONS, agent=AGENTS, blocked=st.booleans())
    def block(self, one: int, agent: str, blocked: bool) -> None:
        conversation_id, by = self.conversations[one].id, BY_NAME[agent]
        try:
            self.run(desk.block(self.db, self.clock, self.shop, by, conversation_id, blocked=blocked))
        except StepRefused:
            return
        assert not blocked or self.run(self.standings())[one].stage in (Stage.BOT, Stage.RESOLVED)

    @rule(one=CONVERSATIONS, agent=AGENTS)
    def let_an_offer_go(self, one: int, agent: str) -> None:
        self.run(desk.pass_offer(self.db, BY_NAME[agent], self.conversations[one].id))

    @rule(one=CONVERSATIONS, agent=AGENTS)
    def put_off(self, one: int, agent: str) -> None:
        until = self.clock.now() + LONGEST_SNOOZE
        try:
            self.run(desk.snooze(self.db, self.clock, BY_NAME[agent], self.conversations[one].id, until))
        except BotError:
            pass

    @rule(agent=AGENTS, presence=st.sampled_from(Presence), shut_out=st.sampled_from([False, False, False, True]))
    def come_or_go(self, agent: str, presence: Presence, shut_out: bool) -> None:
        async def do() -> None:
            async with self.db.transaction() as work:
                now = await work.agents.lock(BY_NAME[agent].id)
                disabled_at = self.clock.now() if shut_out else None
                await work.agents.save(replace(now, presence=presence, disabled_at=disabled_at))

        self.run(do())

    @rule(agent=AGENTS)
    def be_seen(self, agent: str) -> None:
        async def do() -> None:
            async with self.db.transaction() as work:
                await work.agents.see(BY_NAME[agent].id, self.clock.now())

        self.run(do())

    # Time

    @rule(span=SPANS)
    def wait(self, span: timedelta) -> None:
        self.clock.advance(span)

    @rule(how_many=st.integers(1, 2))
    def look_after(self, how_many: int) -> None:
        async def do() -> None:
            await asyncio.gather(*(look_after_line(self.db, self.clock, self.shop) for _ in range(how_many)))

        self.run(do())
        self.run(self.nobody_waits_who_could_be_helped())

    async def nobody_waits_who_could_be_helped(self) -> None:
        now = self.clock.now()
        async with self.db.reading() as work:
            waiting = await work.handoffs.in_state(HandoffState.WAITING)
            loads = await work.handoffs.loads()
            agents = [agent for agent in await work.agents.all() if agent.is_there(now)]
        offers = [one.offered_to for one in waiting if one.offered_until is not None and now < one.offered_until]
        room = sum(max(agent.capacity - loads.get(agent.id, 0) - offers.count(agent.id), 0) for agent in agents)
        assert room == 0 or len(offers) == len(waiting)

    # What never happens

    @invariant()
    def nothing_is_lost_and_nobody_is_talked_over(self) -> None:
        if not hasattr(self, "owners"):
            return
        now = self.run(self.look())
        for number, (standing, said, steps) in enumerate(now):
            stands_in_one_place(standing, steps)
            nobody_spoke_but_the_owner(said, self.seen[number], self.owners[number])
            pending = [message for message in said if message.turn_state is TurnState.PENDING]
            assert not pending or standing.conversation.next_turn_at is not None
        self.seen = [len(said) for _, said, _ in now]
        self.owners = [standing for standing, _, _ in now]

    async def look(self) -> list[tuple[Standing, list[Message], list[ConversationEvent]]]:
        """Where each conversation stands, what was said in it, and the steps that led there."""
        found = []
        async with self.db.reading() as work:
            for conversation in self.conversations:
                standing = await standing_of(work, await work.conversations.get(conversation.id))
                events = await work.conversations.events(conversation.id)
                steps = [event for event in events if event.kind == "handoff_step"]
                found.append((standing, await work.messages.after(conversation.id, 0, 1_000), steps))
        return found

    def teardown(self) -> None:
        """However it stands, and even if nobody does anything any more: nobody waits forever."""
        if not hasattr(self, "owners"):
            return
        longest = max(self.shop.desk.give_up_after, LONGEST_SNOOZE)
        for _ in range(4):
            self.clock.advance(longest + timedelta(seconds=1))
            self.run(look_after_line(self.db, self.clock, self.shop))
        for standing in self.run(self.standings()):
            assert standing.stage in (Stage.BOT, Stage.CALLBACK, Stage.RESOLVED)


def stands_in_one_place(standing: Standing, steps: list[ConversationEvent]) -> None:
    """One owner, one request that fits it, and steps of the table, each of which follows the one before."""
    states = {
        Stage.QUEUE: HandoffState.WAITING,
        Stage.AGENT: HandoffState.ACTIVE,
        Stage.CALLBACK: HandoffState.CALLBACK,
    }
    state = standing.handoff.state if standing.handoff else None
    assert state is states.get(standing.stage)
    assert standing.stage is not Stage.AGENT or standing.handoff.agent_id in (ANA.id, BEN.id)
    assert standing.stage is not Stage.CALLBACK or standing.handoff.due_at is not None
    stage = Stage.BOT
    for event in steps:
        assert event.detail["from"] == stage.value
        stage = TRANSITIONS[stage, Step(event.detail["step"])]
        assert event.detail["to"] == stage.value
    assert standing.stage is stage


def nobody_spoke_but_the_owner(said: list[Message], seen: int, before: Standing) -> None:
    """What was said since then was said by whoever had the conversation then."""
    assert [message.seq for message in said] == list(range(1, len(said) + 1))
    for message in said[seen:]:
        match message.author:
            case Author.BOT:
                assert before.conversation.owner is Owner.BOT
            case Author.AGENT:
                assert before.stage is Stage.AGENT and before.handoff.agent_id == message.agent_id
            case Author.CUSTOMER:
                assert before.conversation.owner is Owner.BOT or message.turn_state is TurnState.NOT_FOR_BOT


@pytest.mark.slow
@pytest.mark.timeout(max(120, EXAMPLES * 5))
def test_whatever_happens_nobody_is_lost_between_the_bot_and_a_person(sql_url):
    run_on_database(Desk, sql_url, examples=EXAMPLES, steps=STEPS)
