"""Which order a task is about, and whether whoever asks may know it."""

from __future__ import annotations

from datetime import datetime, timedelta

from actions import details
from actions.task import Access, Talk, Task
from actions.wording import TALK_TO_A_PERSON
from bot.core.orders import Order, normalise_order_number, other_forms
from bot.services.orders import LookupRefusal, look_up_order, own_order


async def other_order(talk: Talk, task: Task) -> str | None:
    """ "The other one": the customer's only other order that the task could be about; None when that is not clear."""
    known = talk.slots["order_number"] or talk.slots["last_order"]
    others = [order.number for order in await task.candidates(talk) if order.number != known]
    return others[0] if len(others) == 1 and known else None


async def last_order(talk: Talk, task: Task) -> str | None:
    """The order that was spoken of last, where the task could be about it; a stranger's is not looked into."""
    number = talk.slots["last_order"]
    if number is None or talk.customer is None:
        return None if number is None else str(number)
    return next((order.number for order in await task.candidates(talk) if order.number == number), None)


async def take_order(talk: Talk, task: Task) -> bool:
    """Fill the order's slots from the message; whether the task goes on."""
    slots = talk.slots
    typed = slots["named_order"] or details.typed_order_number(talk.tracker)
    slots["named_order"] = None
    if not task.needs_order:
        return True
    before = slots["order_number"]
    if typed is not None:
        number = normalise_order_number(str(typed), talk.turn.shop.order_prefix)
        if number is None:
            talk.say("That does not look like an order number.")
        elif before is None or number != normal_number(talk, before):
            # Proof that came before any number was meant for this one.
            proof = slots["order_proof"] if before is None else None
            slots.update(order_number=number, order_proof=proof, item=None, confirmed=None)
    await settle_number(talk)
    if not await _may_need_proof(talk, task):
        return True
    if before is not None and before == slots["order_number"] and slots["order_proof"] is not None:
        return True  # accepted already: an address in what follows is about something else
    proof = details.typed_proof(talk.tracker) or slots["order_proof"]
    if proof is None and slots["order_number"] == slots["last_order"]:
        # Proven a moment ago: asking again would only be a nuisance.
        proof = _still_good(talk, slots["last_proof"])
    if proof is None or slots["order_number"] is None:
        slots["order_proof"] = proof
        return True
    return await _look_up(talk, slots["order_number"], proof)


PROOF_MINUTES = 30


def remembered_proof(talk: Talk) -> dict[str, str] | None:
    """An accepted proof, to be kept for a while; None without one."""
    proof = talk.slots["order_proof"]
    until = talk.turn.clock.now() + timedelta(minutes=PROOF_MINUTES)
    return {"proof": proof, "until": until.isoformat()} if proof else None


def _still_good(talk: Talk, kept: dict[str, str] | None) -> str | None:
    if kept is None or datetime.fromisoformat(kept["until"]) <= talk.turn.clock.now():
        return None
    return kept["proof"]


async def settle_number(talk: Talk) -> None:
    """Name the order as the shop keeps it, where it is the customer's own, or was spoken of last."""
    number, last = talk.slots["order_number"], talk.slots["last_order"]
    if number is None:
        return
    if last is not None and normal_number(talk, last) == number:
        talk.slots["order_number"] = last
    elif (own := await own_order_in_any_form(talk, number)) is not None:
        talk.slots["order_number"] = own.number


async def bare_own_number(talk: Talk) -> str | None:
    """The number of an order of the customer's own, in a message that holds nothing else."""
    typed = details.bare_number(talk.tracker)
    own = await own_order_in_any_form(talk, typed) if typed is not None else None
    return own.number if own is not None else None


async def own_order_in_any_form(talk: Talk, number: str) -> Order | None:
    """The verified customer's own order with that number, in whichever form it is kept."""
    if talk.customer is None:
        return None
    number = normal_number(talk, number)
    for form in (number, *other_forms(number, talk.turn.shop.order_prefix)):
        if own := await own_order(talk.turn.work, talk.customer.id, form):
            return own
    return None


def normal_number(talk: Talk, typed: str) -> str:
    """An order number with the shop's prefix, by which numbers are compared; what cannot be one stays as it is."""
    return normalise_order_number(typed, talk.turn.shop.order_prefix) or typed


async def _may_need_proof(talk: Talk, task: Task) -> bool:
    if task.access is not Access.PROVEN_ORDER:
        return False
    number = talk.slots["order_number"]
    # A verified customer may ask about an order that is not among their own: a gift, perhaps.
    return talk.customer is None or (number is not None and await own_order_in_any_form(talk, number) is None)


async def _look_up(talk: Talk, number: str, proof: str) -> bool:
    turn, slots = talk.turn, talk.slots
    found = await look_up_order(
        turn.work,
        turn.clock,
        conversation_id=turn.conversation.id,
        number=number,
        proof=proof,
        limits=turn.shop.lookup_limits,
        other_forms=other_forms(number, turn.shop.order_prefix),
    )
    if found is LookupRefusal.TOO_MANY_ATTEMPTS:
        slots["order_proof"] = None
        talk.say(
            "That was one try too many, so I cannot look this order up for now. "
            "Sign in to your account to see your orders, or let a person help you.",
            TALK_TO_A_PERSON,
        )
        return False
    if found is LookupRefusal.NO_MATCH:
        # Named as it was asked for: how it is kept would tell a stranger that there is such an order.
        talk.say(
            f"I find no order {number} with that e-mail address or postcode. "
            "Please check both; you can send me the order number again, too."
        )
        slots["order_proof"] = None
    else:
        slots.update(order_number=found.number, order_proof=proof)
    return True
