"""The form behind every wish that takes several steps: it asks, listens, survives interruptions, and finishes."""

from __future__ import annotations

import re
from typing import Any

from rasa_sdk import Action, FormValidationAction, Tracker
from rasa_sdk.events import ActiveLoop, EventType, FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.forms import REQUESTED_SLOT
from rasa_sdk.types import DomainDict

from actions import details
from actions.answers import say_answer
from actions.context import turn_of
from actions.history import said_in_this_form
from actions.identity import can_prove_identity, take_identity
from actions.loyalty import asks_for_vouchers
from actions.order_choice import last_order, normal_number, other_order, remembered_proof, take_order
from actions.slots import FORM, GO_ON, QUESTION, TASK_SLOTS, changes, question_id, slots_of
from actions.task import Access, Talk, Task
from actions.task_questions import WITHOUT, go_on_question, has_it_not, help_without
from actions.tasks import TASKS
from actions.wording import CAPABILITIES, TALK_TO_A_PERSON
from bot.core.wishes import TELLING, same_wish

WAITING_AT_MOST = 3
# After one of these the latest message is new to the form.
LISTEN = "action_listen"
BEGINNINGS = (LISTEN, "action_start_task", "action_nothing_to_stop")


class StartTask(Action):
    """Begins what the customer wishes for; what they were at waits, and is offered again afterwards."""

    def name(self) -> str:
        return "action_start_task"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        slots, intent = slots_of(tracker), details.intent_of(tracker)
        if details.answers_nothing_open(tracker):
            dispatcher.utter_message(
                text="That question is closed by now. What can I do for you?", buttons=list(CAPABILITIES)
            )
            return [FollowupAction(LISTEN)]
        busy = tracker.active_loop_name == FORM and slots["wish"] in TASKS
        async with turn_of(tracker) as turn:
            talk = Talk(turn, tracker, dispatcher, slots)
            numbers = [normal_number(talk, number) for number in details.typed_order_numbers(tracker)]
            named = numbers[0] if numbers else None
            if intent == "other_order":
                wish = str((slots["wish"] if busy else slots["last_wish"]) or "track_order")
                named = named or await other_order(talk, TASKS[wish])
            else:
                wish = _meant(intent, named, details.text_of(tracker))
                if not TASKS[wish].is_meant(talk):
                    # A question about how it works: answered, and what was going on goes on.
                    await say_answer(turn, tracker, dispatcher)
                    return _waiting_too(tracker, slots)
                named = named or await last_order(talk, TASKS[wish])
        if busy and wish == slots["wish"] and intent != "other_order":
            # Said once more: the form goes on, and takes what is new in it.
            return [SlotSet("named_order", named if numbers else None)]
        waiting = list(slots["waiting_wishes"] or [])
        is_other_order = named is not None and named != slots["order_number"]
        is_another = wish in TELLING or is_other_order or not same_wish(wish, slots["wish"])
        # Whoever only wanted to know something asks again, if it still matters.
        if busy and is_another and slots["wish"] not in TELLING:
            kept = {name: slots[name] for name in TASK_SLOTS if slots[name] is not None and name not in ("code", GO_ON)}
            waiting.insert(0, {"wish": slots["wish"], "slots": kept})
        for also in _also(tracker):
            waiting.append({"wish": also["wish"], "slots": {"named_order": also.get("order_number")}})
        waiting += [{"wish": wish, "slots": {"named_order": number}} for number in numbers[1:]]
        waiting = [one for one in waiting if one["wish"] in TASKS and (one["wish"] != wish or one["slots"])]
        slots.update(dict.fromkeys(TASK_SLOTS), wish=wish, named_order=named, waiting_wishes=waiting[:WAITING_AT_MOST])
        # A question of the old task is no longer open.
        return [*changes(tracker, slots), SlotSet(REQUESTED_SLOT, None)]


def _waiting_too(tracker: Tracker, slots: dict[str, Any]) -> list[EventType]:
    """What else the message wishes for, to be offered after it was answered."""
    also = [{"wish": one["wish"], "slots": {"named_order": one.get("order_number")}} for one in _also(tracker)]
    slots["waiting_wishes"] = [*(slots["waiting_wishes"] or []), *also][:WAITING_AT_MOST]
    return changes(tracker, slots)


def _also(tracker: Tracker) -> list[dict[str, Any]]:
    return [one for one in tracker.latest_message.get("also") or [] if one["wish"] in TASKS]


def _meant(intent: str, number: str | None, text: str) -> str:
    """The task that is meant: an address goes with one order, or with all that come; rewards can be there already."""
    if intent == "set_up_shipping_address" and number is not None:
        return "change_shipping_address"
    if intent == "change_shipping_address" and number is None and _FOR_ALL.search(text):
        return "set_up_shipping_address"
    if intent in ("redeem_points", "check_points") and _COMPLAINS.search(text):
        return "complaint"
    if intent == "redeem_points" and asks_for_vouchers(text):
        return "check_points"
    return intent if intent in TASKS else "track_order"


_COMPLAINS = re.compile(r"\b(?:complain|complaint|stole|stolen|cheated)\b", re.IGNORECASE)
_FOR_ALL = re.compile(r"\b(?:default|standard|next orders?|future|from now on|account|profile)\b", re.IGNORECASE)


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
    is_other_order = number is not None and normal_number(talk, number) != talk.slots["order_number"]
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
