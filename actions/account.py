"""The customer's account in the chat: logging out, and going on in a messaging app as the same customer."""

from __future__ import annotations

import re

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions import details
from actions.answers import wants_in
from actions.context import turn_of
from actions.slots import begin_task
from actions.task import Access, Question, Talk, Task, who
from actions.wording import CAPABILITIES, Button, payload
from bot.core.account_links import CONNECTED_FOR, LINK_LIFETIME
from bot.core.channels import TELEGRAM
from bot.core.customers import Customer
from bot.core.wishes import CONNECT, SIGN_IN, SIGN_OUT
from bot.services.account_links import LinkUse, issue_link
from bot.services.sign_out import goodbye, sign_out
from bot.services.turn_context import TurnContext

LOG_OUT: Button = {"title": "Log me out", "payload": payload(SIGN_OUT)}
SIGN_IN_FIRST: Button = {"title": "Sign in here first", "payload": payload(CONNECT, facet=SIGN_IN)}
_MINUTES = LINK_LIFETIME.seconds // 60
# Telegram's is the one app there is; others are named as people ask for them.
_APP = "Telegram"
_OTHER_APP = re.compile(r"\b(?:whats ?app|viber|messenger|instagram|signal|wechat|line app|imessage)\b", re.IGNORECASE)
_THIS_APP = re.compile(r"\btele ?gram+\b|\btg\b", re.IGNORECASE)
_HOW = re.compile(r"^\W*(?:how (?:do|can|to|would|should)|where (?:do|can)|paano)\b", re.IGNORECASE)


class SignOut(Action):
    """Logs the customer out at once; whoever only asks how it goes is told, and offered to."""

    def name(self) -> str:
        return "action_sign_out"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        if wants_in(details.text_of(tracker)):
            # So near in words that the model alone is not to be trusted with it.
            return begin_task(tracker, SIGN_IN)
        if _HOW.search(details.text_of(tracker)) and not details.was_picked(tracker):
            text = "Write “log me out”, and I forget who you are. On our website, sign out there, too."
            dispatcher.utter_message(text=text, buttons=[LOG_OUT])
            return []
        async with turn_of(tracker) as turn:
            turn.conversation = await sign_out(turn.work, turn.clock, turn.conversation)
            turn.customer = None
            dispatcher.utter_message(text=goodbye(turn.conversation))
        # Nor is an order known any more that was proven here.
        return [SlotSet("last_order", None), SlotSet("last_proof", None)]


class ConnectMessenger(Action):
    """Brings the customer over to the messaging app, and greets them there."""

    def name(self) -> str:
        return "action_connect_messenger"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        facet, busy = details.value(tracker, "facet"), tracker.active_loop_name is not None
        async with turn_of(tracker) as turn:
            if facet in [use.value for use in LinkUse]:
                _greet(turn, dispatcher, LinkUse(facet), busy=busy)
                return []
            page = turn.links.connect(TELEGRAM)
            if page is None:
                dispatcher.utter_message(text=_nowhere_else(turn))
            elif turn.conversation.channel == TELEGRAM:
                dispatcher.utter_message(text=_there_already(turn))
            elif turn.customer is not None:
                dispatcher.utter_message(text=await _link(turn, tracker))
            elif facet == SIGN_IN and not busy:
                return begin_task(tracker, CONNECT)
            else:
                text = (
                    f"{_only_telegram(tracker)}You can write to me in {_APP}: {page}\n"
                    "There I send you a code when you want to sign in. Or sign in here first, and I make you a link "
                    "that tells me who you are."
                )
                dispatcher.utter_message(text=text, buttons=None if busy else [SIGN_IN_FIRST])
        return []


class Connect(Task):
    """The same for somebody who signs in for it."""

    wish = CONNECT
    title = f"connecting {_APP}"
    access = Access.VERIFIED
    needs_order = False

    async def question(self, slot: str, talk: Talk) -> Question:
        raise AssertionError(f"connecting an account asks for no {slot}")

    async def finish(self, talk: Talk) -> None:
        who(talk)
        talk.say(await _link(talk.turn, talk.tracker))


async def _link(turn: TurnContext, tracker: Tracker) -> str:
    """A link for the verified customer, in words; or why there is none."""
    assert turn.customer is not None  # noqa: S101 - asked by those who are known only
    if turn.links.connect(TELEGRAM) is None:
        return _nowhere_else(turn)
    token = await issue_link(turn.work, turn.clock, turn.customer.id, TELEGRAM)
    if token is None:
        return (
            "I have made as many links as I may for now. Please try again in an hour; or write to me in "
            f"{_APP}, {turn.links.connect(TELEGRAM)}, and sign in there with a code."
        )
    return (
        f"{_only_telegram(tracker)}Open this link where you use {_APP}, and press Start there: "
        f"{turn.links.connect(TELEGRAM, token)}\n"
        f"It works once, within {_MINUTES} minutes, and whoever opens it is you to me: please show it to nobody. "
        "Your orders and points are there, too."
    )


def _greet(turn: TurnContext, dispatcher: CollectingDispatcher, use: LinkUse, *, busy: bool) -> None:
    """What is said to somebody who came by a link."""
    match use:
        case LinkUse.CONNECTED if turn.customer is not None:
            name = f", {turn.customer.first_name}" if turn.customer.first_name else ""
            text = (
                f"Hello{name}! {_connected_as(turn.customer)} I know you here: your orders, your points, all of it. "
                f"That lasts until you log out, or for {CONNECTED_FOR.days} days. What can I do for you?"
            )
            dispatcher.utter_message(text=text, buttons=None if busy else list(CAPABILITIES))
        case LinkUse.OTHERS:
            dispatcher.utter_message(
                text="This account is connected with another customer here, so I have changed nothing. If it is yours, "
                "log out first, and then open the link again.",
                buttons=None if busy else [LOG_OUT],
            )
        case _:
            dispatcher.utter_message(
                text=f"I'm sorry, this link does not work any more: each works once, for {_MINUTES} minutes. For a new "
                f"one, sign in on our website and write “connect my {_APP}” in the chat there. Or send me your e-mail "
                "address here, and I send you a code."
            )


def _connected_as(customer: Customer) -> str:
    """Whose account it is, so that somebody who was sent another's link notices, before they say anything."""
    names = customer.name.split()
    if not names:
        return f"Your {_APP} is connected. If you did not make that link yourself, send /logout now."
    name = f"{names[0]} {names[-1][0]}." if len(names) > 1 else f"{names[0]}."
    return f"You are connected as {name} If that is not you, send /logout now."


def _nowhere_else(turn: TurnContext) -> str:
    return f"We are not in {_APP} or another app. Write to me here, or to our team at {turn.shop.contact_email}."


def _there_already(turn: TurnContext) -> str:
    if turn.customer is not None:
        return f"You are writing to me in {_APP} already, and I know you here."
    return f"You are writing to me in {_APP} already. So that I know you here, send me your e-mail address."


def _only_telegram(tracker: Tracker) -> str:
    """Somebody who asks for another app is told that it is not the one."""
    text = details.text_of(tracker)
    other = None if _THIS_APP.search(text) else _OTHER_APP.search(text)
    return f"Not there, but in {_APP}. " if other else ""
