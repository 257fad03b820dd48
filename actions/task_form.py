"""The form behind every wish that takes several steps: it asks, listens, survives interruptions, and finishes."""

from __future__ import annotations

import re
from typing import Any

from rasa_sdk import Action, FormValidationAction, Tracker
from rasa_sdk.events import ActiveLoop, EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.forms import REQUESTED_SLOT
from rasa_sdk.types import DomainDict

from actions import details
from actions.context import turn_of
from actions.history import said_in_this_form
from actions.identity import can_prove_identity, take_identity
from actions.order_choice import (
    normal_number,
    remembered_proof,
    settle_number,
    take_order,
)
from actions.slots import FORM, GO_ON, LISTEN, QUESTION, TASK_SLOTS, changes, question_id, slots_of
from actions.task import Access, Talk, Task
from actions.task_questions import WITHOUT, go_on_question, has_it_not, help_without
from actions.tasks import TASKS
from actions.wording import TALK_TO_A_PERSON

# After one of these the latest message is new to the form.
BEGINNINGS = (LISTEN, "action_start_task", "action_nothing_to_stop")


class ValidateTaskForm(FormValidationAction):
    """Takes from each message what it says, does the task once everything is there, and says what to ask next."""

    def name(self) -> str:
        return f"validate_{FORM}"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        slots = slots_of(tracker)
        async with turn_of(tracker) as turn:
            talk = Talk(turn, tracker, dispatcher, slots)
            began_by = _latest_action(tracker)
            may_pass_on = began_by == LISTEN and talk.requested is not None
            if may_pass_on and _is_another_wish(talk):
                # An order number in it belongs to that wish. Rasa's rules begin it.
                return []
            before, ended = dict(slots), False
            if began_by in BEGINNINGS:
                ended = not await _take(talk)
                if may_pass_on and not ended and slots == before and not talk.dispatcher.messages:
                    # Nothing of the message was for this form: Rasa asks the rules what to do with it.
                    return []
            asked = await _proceed(talk, ended=ended)
        # Rasa counts a form that sets no slot as one that took nothing, and drops what it said.
        return [*changes(tracker, slots), SlotSet("wish", slots["wish"]), SlotSet(REQUESTED_SLOT, asked)]


def _is_another_wish(talk: Talk) -> bool:
    """Whether the message, in the middle of one task, names an order for another one."""
    wish, number = details.intent_of(talk.tracker), details.typed_order_number(talk.tracker)
    known = normal_number(talk, talk.slots["order_number"] or "")
    is_other_order = number is not None and normal_number(talk, number) != known
    return wish in TASKS and wish != talk.slots["wish"] and is_other_order


def _latest_action(tracker: Tracker) -> str:
    """What was done before the form: listening, beginning a task, or dealing with an interruption."""
    for event in reversed(tracker.events):
        if event["event"] == "action" and event["name"] not in (FORM, None):
            return str(event["name"])
    return LISTEN


async def _take(talk: Talk) -> bool:
    """Fill slots from the message; whether the task goes on."""
    slots, tracker = talk.slots, talk.tracker
    if talk.requested == GO_ON:
        return _take_go_on(talk)
    if slots["wish"] is None:
        return True
    task = TASKS[slots["wish"]]
    if _was_answered(talk):
        return True
    if talk.customer is None and task.access is Access.VERIFIED:
        identity = await take_identity(talk)
        if identity is None:
            return False
        slots.update(identity)
    known = _known(slots)
    if not await take_order(talk, task):
        return False
    slots.update(await task.take(talk))
    silent = not talk.dispatcher.messages
    if silent and talk.requested in WITHOUT and has_it_not(details.text_of(tracker)):
        talk.say(help_without(talk.requested, known=talk.customer is not None), TALK_TO_A_PERSON)
    if _known(slots) != known:
        # What changed is read back first: a yes in the same message was to something else.
        slots["confirmed"] = None
    elif talk.requested == "confirmed" and _is_for(tracker, question_id(slots, "confirmed")):
        match details.intent_of(tracker):
            case "affirm":
                slots["confirmed"] = True
            case "deny":
                return not await task.refuse(talk)
            case _ if _LATER.search(details.text_of(tracker)):
                return not await task.refuse(talk)
            case _ if task.is_yes(details.text_of(tracker)):
                slots["confirmed"] = True
    return True


def _was_answered(talk: Talk) -> bool:
    """Whether the message was a question about another wish, which got its answer before the form went on."""
    asked_about = details.intent_of(talk.tracker)
    is_new = _latest_action(talk.tracker) == "action_start_task"
    return (
        is_new and asked_about in TASKS and asked_about != talk.slots["wish"] and not TASKS[asked_about].is_meant(talk)
    )


_LATER = re.compile(
    r"^\W*(?:maybe |perhaps |rather )?(?:later|not now|not yet|another time|next time)\b", re.IGNORECASE
)


def _known(slots: dict[str, Any]) -> dict[str, Any]:
    """What the task's last question is about."""
    return {name: slots[name] for name in TASK_SLOTS if name != "confirmed"}


def _is_for(tracker: Tracker, question: str) -> bool:
    """Whether a picked yes or no belongs to this question, and not to one that scrolled away; written ones do."""
    picked = details.value(tracker, QUESTION)
    return picked is None or picked == question


def _take_go_on(talk: Talk) -> bool:
    if not _is_for(talk.tracker, question_id(talk.slots, GO_ON)):
        return True
    match details.intent_of(talk.tracker):
        case "affirm":
            waiting = list(talk.slots["waiting_wishes"] or [])
            first = waiting.pop(0)
            talk.slots.update(dict.fromkeys(TASK_SLOTS), wish=first["wish"], named_order=None, waiting_wishes=waiting)
            talk.slots.update(first["slots"])
            if talk.slots["named_order"]:
                talk.slots["order_number"], talk.slots["named_order"] = talk.slots["named_order"], None
        case "deny":
            talk.slots["waiting_wishes"] = []
            talk.say("All right. If something else comes up, just write.")
            return False
        case "provide_details" if (number := details.typed_order_number(talk.tracker)) is not None:
            # "No, I meant TC-10002": what was done before the question is wished for with another order.
            last = talk.slots["last_wish"]
            wish = last if last in TASKS and TASKS[last].needs_order else "track_order"
            talk.slots.update(wish=wish, order_number=normal_number(talk, number))
        case _:
            return True
    return True


async def _proceed(talk: Talk, *, ended: bool) -> str | None:
    """Go as far as possible without asking; the slot to ask for, or None when all is done."""
    slots = talk.slots
    while True:
        if not ended:
            if slots["wish"] is None:
                return _go_on(talk)
            task = TASKS[slots["wish"]]
            missing, ended = await _next_missing(talk, task)
            if missing is not None:
                return missing
            if not ended:
                await task.finish(talk)
        if slots["order_number"] is not None:
            slots["last_order"], slots["last_proof"] = slots["order_number"], remembered_proof(talk)
        slots["last_wish"] = slots["wish"] or slots["last_wish"]
        slots.update(dict.fromkeys(TASK_SLOTS), wish=None, named_order=None)
        ended = False


def _go_on(talk: Talk) -> str | None:
    """Whether to ask for what waits: twice at most, for whoever wanted it would have said so."""
    waiting = talk.slots["waiting_wishes"]
    if not waiting:
        return None
    if said_in_this_form(talk.tracker, go_on_question(waiting[0]).brief):
        talk.slots["waiting_wishes"] = []
        return None
    return GO_ON


async def _next_missing(talk: Talk, task: Task) -> tuple[str | None, bool]:
    """The next slot to ask for, and whether the task has ended because it cannot be done."""
    slots = talk.slots
    if talk.customer is None and task.access is Access.VERIFIED:
        # Before the order is looked at: to say that this cannot be done with it would tell a stranger about it.
        if slots["email"] is not None:
            return "code", False
        return ("email", False) if await can_prove_identity(talk) else (None, True)
    order = None
    if task.needs_order:
        if slots["order_number"] is None and talk.customer is not None:
            candidates = await task.candidates(talk)
            if len(candidates) == 1:
                slots["order_number"] = candidates[0].number
            elif not candidates:
                await task.explain_no_candidates(talk)
                return None, True
        if slots["order_number"] is None:
            return "order_number", False
        await settle_number(talk)  # whoever has proven who they are meanwhile has orders of their own
        order = await talk.order()
        if order is None and task.access is Access.PROVEN_ORDER:
            return "order_proof", False
        if order is None:
            talk.say(f"I don't find {slots['order_number']} among your orders.")
            slots["order_number"] = None
            return "order_number", False
    if await task.obstacle(talk, order):
        return None, True
    for slot in await task.details(talk):
        if slots[slot] is None:
            return slot, False
    return None, False


class DropTask(Action):
    """Forgets the task at hand, and what waits behind it."""

    def name(self) -> str:
        return "action_drop_task"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        slots = slots_of(tracker)
        slots.update(dict.fromkeys(TASK_SLOTS), wish=None, named_order=None, waiting_wishes=[])
        return [*changes(tracker, slots), SlotSet(REQUESTED_SLOT, None), ActiveLoop(None)]
