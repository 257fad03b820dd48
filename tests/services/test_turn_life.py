"""Whatever order things happen in, a conversation keeps its promises."""

import asyncio
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bot.core.conversations import Author, Owner, Reply, TurnState
from bot.core.turns import LEASE, MAX_ATTEMPTS
from bot.errors import LeaseLost
from bot.services.conversations import FLOOD, receive_message
from bot.services.turns import (
    begin_turn,
    claim_turn,
    fail_turn,
    finish_turn,
    give_up_turn,
    release_worker,
    renew_leases,
)
from tests.builders import a_shop, an_inbound, change_owner, conversation_now, messages_now, stored_conversation
from tests.fakes import FakeClock, FakeDatabase

WORKERS = st.sampled_from(["worker-1", "worker-2"])
SPANS = st.sampled_from([timedelta(0), timedelta(seconds=1), timedelta(seconds=40), LEASE])


class TurnLife(RuleBasedStateMachine):
    """Two workers, a customer and an agent on one conversation; turns are begun, lost, failed and given up."""

    @initialize()
    def begin(self):
        self.loop = asyncio.new_event_loop()
        self.db, self.clock, self.shop = FakeDatabase(), FakeClock(), a_shop()
        self.conversation = self.run(stored_conversation(self.db))
        self.turns = []
        self.ids = []
        self.answered = []
        # How long the conversation was while a person owned it: the bot must not have made it longer.
        self.said_by_bot_at_takeover = None

    def teardown(self):
        if hasattr(self, "loop"):
            self.loop.close()

    def run(self, work):
        return self.loop.run_until_complete(work)

    def messages(self):
        return self.run(messages_now(self.db, self.conversation.id))

    def said_by_bot(self):
        return sum(message.author is Author.BOT for message in self.messages())

    @rule(text=st.sampled_from(["one", "two"]))
    def write(self, text):
        inbound = an_inbound(text)
        self.ids.append(inbound)
        self.run(receive_message(self.db, self.clock, self.conversation.id, inbound))

    @precondition(lambda self: self.ids)
    @rule(data=st.data())
    def write_again(self, data):
        count = len(self.messages())
        self.run(receive_message(self.db, self.clock, self.conversation.id, data.draw(st.sampled_from(self.ids))))
        assert len(self.messages()) == count

    @rule(worker=WORKERS)
    def claim(self, worker):
        turn = self.run(claim_turn(self.db, self.clock, worker))
        if turn is not None:
            assert turn.conversation.owner is Owner.BOT
            self.turns.append(turn)

    @precondition(lambda self: self.turns)
    @rule(data=st.data(), ending=st.sampled_from(["finish", "finish", "fail", "die half-way", "vanish"]))
    def end_a_turn(self, data, ending):
        turn = self.turns.pop(data.draw(st.integers(0, len(self.turns) - 1)))
        if ending == "vanish":
            return
        if ending == "fail":
            self.run(fail_turn(self.db, self.clock, turn, RuntimeError()))
            return
        try:
            if turn.is_exhausted:
                self.run(give_up_turn(self.db, self.clock, self.shop, turn))
            else:
                self.run(self.answer(turn, dies=ending == "die half-way"))
        except LeaseLost:
            now = self.run(conversation_now(self.db, self.conversation.id))
            pending = [m for m in self.messages() if m.turn_state is TurnState.PENDING]
            assert now.lease_holder != turn.holder or not pending or pending[0].id != turn.message.id

    async def answer(self, turn, dies):
        try:
            async with self.db.transaction() as work:
                conversation = await begin_turn(work, self.clock, turn)
                if conversation is not None:
                    await finish_turn(work, self.clock, self.shop, turn, [Reply("Hi!")], conversation)
                if dies:
                    raise InterruptedError
        except InterruptedError:
            return
        if conversation is not None:
            self.answered.append(turn.message.seq)

    @rule(owner=st.sampled_from(Owner))
    def hand_over(self, owner):
        self.run(change_owner(self.db, self.clock, self.conversation.id, owner))
        self.said_by_bot_at_takeover = None if owner is Owner.BOT else self.said_by_bot()

    @rule(span=SPANS)
    def wait(self, span):
        self.clock.advance(span)

    @rule(worker=WORKERS)
    def renew(self, worker):
        self.run(renew_leases(self.db, self.clock, worker))

    @rule(worker=WORKERS)
    def stop(self, worker):
        self.run(release_worker(self.db, worker))

    @invariant()
    def places_have_no_gaps(self):
        if hasattr(self, "db"):
            now = self.run(conversation_now(self.db, self.conversation.id))
            assert [message.seq for message in self.messages()] == list(range(1, now.last_seq + 1))

    @invariant()
    def what_waits_is_due(self):
        if hasattr(self, "db"):
            now = self.run(conversation_now(self.db, self.conversation.id))
            waiting = any(message.turn_state is TurnState.PENDING for message in self.messages())
            assert not waiting or now.next_turn_at is not None

    @invariant()
    def messages_end_in_order_each_with_one_answer(self):
        if not hasattr(self, "db"):
            return
        messages = self.messages()
        inbound = [message for message in messages if message.author is Author.CUSTOMER]
        ended = [message.turn_state is not TurnState.PENDING for message in inbound if message.attempts]
        assert ended == sorted(ended, reverse=True)
        assert self.answered == sorted(set(self.answered))
        # That it was too much at once is said about what is not answered.
        answers = [message for message in messages if message.author is Author.BOT and message.text != FLOOD]
        replied_to = [message.reply_to_seq for message in answers]
        expected = [m.seq for m in inbound if m.turn_state in (TurnState.HANDLED, TurnState.FAILED)]
        assert replied_to == expected
        assert all(message.attempts <= MAX_ATTEMPTS + 1 for message in inbound)  # giving up is counted, too

    @invariant()
    def the_bot_is_silent_while_a_person_owns_the_conversation(self):
        if hasattr(self, "db") and self.said_by_bot_at_takeover is not None:
            assert self.said_by_bot() == self.said_by_bot_at_takeover


TurnLife.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
test_a_conversation_keeps_its_promises_whatever_happens = TurnLife.TestCase
