"""Where a wish that takes several steps begins; what was going on waits."""

from __future__ import annotations

import re
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.forms import REQUESTED_SLOT
from rasa_sdk.types import DomainDict

from actions import details
from actions.answers import say_answer
from actions.context import turn_of
from actions.loyalty import asks_for_vouchers
from actions.order_choice import bare_own_number, last_order, normal_number, other_order
from actions.signing_in import answer_bare_identity, picked_sign_in
from actions.slots import FORM, GO_ON, LISTEN, TASK_SLOTS, changes, slots_of
from actions.task import Talk
from actions.tasks import TASKS
from actions.undoing_rewards import undoes_reward
from actions.wording import CAPABILITIES
from bot.core.wishes import SIGN_IN, TELLING, UNDO_REWARD, same_wish

WAITING_AT_MOST = 3


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
            if not busy and not picked_sign_in(talk) and (answered := await answer_bare_identity(talk)) is not None:
                return answered
            numbers = [normal_number(talk, number) for number in details.typed_order_numbers(tracker)]
            if intent == "provide_details" and not numbers and (bare := await bare_own_number(talk)) is not None:
                numbers = [bare]
            named = numbers[0] if numbers else None
            if intent == "other_order":
                wish = str((slots["wish"] if busy else slots["last_wish"]) or "track_order")
                named = named or await other_order(talk, TASKS[wish])
            else:
                wish = SIGN_IN if picked_sign_in(talk) else _meant(intent, named, details.text_of(tracker))
                if not TASKS[wish].is_meant(talk):
                    # A question about how it works: answered, and what was going on goes on.
                    await say_answer(turn, tracker, dispatcher)
                    return _waiting_too(tracker, slots)
                named = named or await last_order(talk, TASKS[wish])
        if busy and wish == slots["wish"] and intent != "other_order":
            # Said once more: the form goes on, and takes what is new in it.
            return [SlotSet("named_order", named if numbers else None)]
        waiting = list(slots["waiting_wishes"] or [])
        is_other_order = named is not None and normal_number(talk, named) != normal_number(
            talk, slots["order_number"] or ""
        )
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
    if intent in _MAY_UNDO and number is None and undoes_reward(text):
        return UNDO_REWARD
    if intent in ("redeem_points", "check_points") and _COMPLAINS.search(text):
        return "complaint"
    if intent == "redeem_points" and asks_for_vouchers(text):
        return "check_points"
    return intent if intent in TASKS else "track_order"


# How a wish to give a reward back is understood: nothing that the model knows is quite that.
_MAY_UNDO = frozenset({"redeem_points", "check_points", "get_refund", "cancel_order", "return_item", "track_refund"})
_COMPLAINS = re.compile(r"\b(?:complain|complaint|stole|stolen|cheated)\b", re.IGNORECASE)
_FOR_ALL = re.compile(r"\b(?:default|standard|next orders?|future|from now on|account|profile)\b", re.IGNORECASE)
