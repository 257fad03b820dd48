"""Turns with the real model: all or nothing, at a cost that does not grow, and never in silence."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bot.core.conversations import InboundMessage, Owner, TurnState
from bot.core.turns import MAX_ATTEMPTS
from bot.dialogue.lean import leave_out_tensorflow, needs_tensorflow, read_model_metadata
from bot.services.conversations import receive_message
from bot.services.ports import Hint
from bot.services.turns import claim_turn
from bot.storage import tables
from tests.builders import change_owner

ROOT = Path(__file__).parents[2]


async def count(db, table) -> int:
    async with db.reading() as work:
        return await work.conversations._connection.scalar(select(func.count()).select_from(table))


@pytest.fixture
def broken_action(monkeypatch: pytest.MonkeyPatch):
    """Lets an action fail: `broken_action(error)`; `broken_action(None)` mends it."""
    from actions.conversation import Greet

    original = Greet.run
    state = {"error": None, "runs": 0}

    async def run(self, dispatcher, tracker, domain):
        state["runs"] += 1
        if state["error"] is not None:
            # An effect before the failure, which must not survive it.
            from actions.context import turn_of
            from bot.core.handoffs import HandoffReason
            from bot.services.handoffs import request_handoff

            async with turn_of(tracker) as turn:
                await request_handoff(turn.work, turn.clock, turn.shop, turn.conversation, HandoffReason.ASKED)
            raise state["error"]
        return await original(self, dispatcher, tracker, domain)

    def breaking(worker, error: BaseException | None) -> dict:
        executor = worker._assistant._agent.action_endpoint._executor
        state["error"] = error
        greet = Greet()
        monkeypatch.setitem(executor.actions, "action_greet", lambda d, t, dom: run(greet, d, t, dom))
        return state

    return breaking


async def test_a_failing_turn_leaves_nothing_and_is_run_again(talk_as, worker, demo_db, clock, broken_action) -> None:
    talk = await talk_as()
    mails = await count(demo_db, tables.outbox)  # the demo shop's own
    broken_action(worker, RuntimeError("no"))
    assert await talk.say("hello") == []
    assert await count(demo_db, tables.handoffs) == 0
    assert await count(demo_db, tables.tracker_events) == 0
    assert await count(demo_db, tables.outbox) == mails

    broken_action(worker, None)
    clock.ahead += MAX_ATTEMPTS * clock.ahead.__class__(minutes=1)
    async with demo_db.reading() as work:
        message = await work.messages.first_pending(talk.conversation.id)
    assert [reply.reply_to_seq for reply in await talk.answer(message)] == [1]


async def test_a_turn_that_keeps_failing_ends_in_an_apology_and_a_request_for_a_person(
    talk_as, worker, demo_db, clock, broken_action, shop
) -> None:
    talk = await talk_as()
    state = broken_action(worker, RuntimeError("no"))
    await talk.say("hello")
    for _ in range(MAX_ATTEMPTS):
        clock.ahead += clock.ahead.__class__(minutes=1)
        async with demo_db.reading() as work:
            first = (await work.messages.after(talk.conversation.id, 0))[0]
        said = await talk.answer(first)
    assert state["runs"] == MAX_ATTEMPTS
    assert len(said) == 1
    assert "I'm sorry" in said[0].text
    assert shop.contact_email in said[0].text
    assert await count(demo_db, tables.handoffs) == 1
    assert first.turn_state is TurnState.PENDING or first.turn_state is TurnState.FAILED
    assert "TC-12345" in await talk.text("where is my order")


async def test_an_action_over_its_time_fails_the_turn(
    talk_as, worker, demo_db, broken_action, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.dialogue.actions.ACTION_SECONDS", 0.05)
    executor = worker._assistant._agent.action_endpoint._executor

    async def never(_dispatcher, _tracker, _domain):
        await asyncio.Event().wait()

    monkeypatch.setitem(executor.actions, "action_greet", never)
    talk = await talk_as()
    assert await talk.say("hello") == []
    async with demo_db.reading() as work:
        assert [event.kind for event in await work.conversations.events(talk.conversation.id)] == ["turn_failed"]


async def test_a_person_who_took_over_is_not_talked_over(talk_as, worker, demo_db, clock) -> None:
    talk = await talk_as()
    await receive_message(demo_db, clock, talk.conversation.id, InboundMessage("m1", "where is my order"))
    turn = await claim_turn(demo_db, clock, worker.id)
    await change_owner(demo_db, clock, talk.conversation.id, Owner.AGENT)
    await worker.work_on(turn)
    async with demo_db.reading() as work:
        assert len(await work.messages.after(talk.conversation.id, 0)) == 1
        kinds = [event.kind for event in await work.conversations.events(talk.conversation.id)]
    assert kinds == ["owner_changed", "turn_dropped"]
    await change_owner(demo_db, clock, talk.conversation.id, Owner.BOT)
    assert "TC-12345" in await talk.text("where is my order")


async def test_the_events_of_a_session_stay_bounded_over_a_long_conversation(talk_as, demo_db) -> None:
    from bot.dialogue.tracker_store import SESSION_EVENTS

    talk = await talk_as()
    loaded = []
    for text in ["hello", "are you open now", "where is TC-10002", "maria@example.com", "thanks"] * 8:
        assert await talk.say(text)
        async with demo_db.reading() as work:
            loaded.append(len((await work.tracker_events.current_session(talk.conversation.id))[0]))
    assert max(loaded) < SESSION_EVENTS + 30
    assert await count(demo_db, tables.tracker_events) > 4 * SESSION_EVENTS


async def test_a_new_session_does_not_begin_in_the_middle_of_a_question(talk_as, demo_db) -> None:
    talk = await talk_as()
    await talk.say("where is my order TC-10002")
    for _ in range(20):
        assert await talk.say("what time do you open")
    assert "on its way" in await talk.text("maria@example.com")


async def test_what_was_said_is_in_the_tracker_with_its_message_id(talk_as, demo_db) -> None:
    talk = await talk_as()
    await talk.say("hello")
    async with demo_db.reading() as work:
        texts, _ = await work.tracker_events.current_session(talk.conversation.id)
        message = (await work.messages.after(talk.conversation.id, 0))[0]
    uttered = [event for event in map(json.loads, texts) if event["event"] == "user"]
    assert [event["message_id"] for event in uttered] == [message.id]
    assert uttered[0]["parse_data"]["intent"]["name"] == "greet"


async def test_a_running_worker_answers_what_a_wake_up_tells_it_of(talk_as, worker, demo_db, clock) -> None:
    talk = await talk_as()
    running = asyncio.create_task(worker.run())
    message = await receive_message(demo_db, clock, talk.conversation.id, InboundMessage("m1", "hello"))
    worker.receive_hint(Hint("inbound", talk.conversation.id))
    async with asyncio.timeout(10) if hasattr(asyncio, "timeout") else _Limit(10):
        while True:
            async with demo_db.reading() as work:
                if await work.messages.replies_to(talk.conversation.id, message.seq):
                    break
            await asyncio.sleep(0)
    worker.stop()
    await asyncio.wait_for(running, 10)
    async with demo_db.reading() as work:
        assert (await work.conversations.get(talk.conversation.id)).lease_holder is None
        assert await work.workers.seen_since(clock.now().replace(year=2000)) == []


class _Limit:
    """A time limit for Python 3.10, which has no asyncio.timeout."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    async def __aenter__(self) -> None:
        self._handle = asyncio.get_running_loop().call_later(self._seconds, asyncio.current_task().cancel)

    async def __aexit__(self, *_exc: object) -> None:
        self._handle.cancel()


def test_the_worker_runs_without_tensorflow() -> None:
    """In a process of its own: other tests train, and training needs TensorFlow."""
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from bot.dialogue.lean import leave_out_tensorflow, needs_tensorflow, read_model_metadata\n"
        "model = Path('models/kasuki.tar.gz')\n"
        "assert not needs_tensorflow(read_model_metadata(model))\n"
        "leave_out_tensorflow()\n"
        "from bot.dialogue.assistant import Assistant\n"
        "Assistant.load(model)\n"
        "assert 'tensorflow' not in sys.modules and 'torch' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=110, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]


def test_a_placeholder_says_that_tensorflow_was_left_out() -> None:
    leave_out_tensorflow()
    from rasa.utils.tensorflow.callback import RasaTrainingLogger

    with pytest.raises(RuntimeError, match="without TensorFlow"):
        RasaTrainingLogger()


def test_a_model_with_a_tensorflow_component_is_recognised(tmp_path) -> None:
    import io
    import tarfile

    for component, expected in (("rasa.nlu.classifiers.diet_classifier", True), ("bot.nlu.entities", False)):
        path = tmp_path / f"{expected}.tar.gz"
        with tarfile.open(path, "w:gz") as archive:
            data = json.dumps({"train_schema": {"uses": component}}).encode()
            member = tarfile.TarInfo("metadata.json")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        assert needs_tensorflow(read_model_metadata(path)) is expected


def test_every_action_the_domain_names_exists(assistant) -> None:
    domain = assistant._agent.domain
    custom = {name for name in domain.user_actions if not name.startswith("utter_")} | {
        f"validate_{form}" for form in domain.form_names
    }
    assert custom <= assistant._agent.action_endpoint.names
