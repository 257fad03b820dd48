"""What the shop's people have to see to themselves: problems, complaints, changes, opinions."""

from __future__ import annotations

from datetime import timedelta

from bot.core.conversations import Conversation, clean_text
from bot.core.customers import Customer
from bot.core.requests import MAX_OPEN_REQUESTS, MAX_REQUEST_CHARACTERS, REQUEST_PREFIX, RequestKind, ServiceRequest
from bot.core.shop import Shop
from bot.services.ids import add_under_new_number
from bot.services.opinions import note_opinion
from bot.services.outbox import queue_mail
from bot.services.ports import Clock, UnitOfWork
from bot.services.transcripts import conversation_lines, indented

_SUBJECTS = {
    RequestKind.CHANGE_ORDER: "A change to an order",
    RequestKind.REPORT_PROBLEM: "A problem with an order",
    RequestKind.COMPLAINT: "A complaint",
    RequestKind.FEEDBACK: "Feedback",
    RequestKind.REVIEW: "A review",
    RequestKind.CALLBACK: "A call back",
    RequestKind.ACCOUNT: "Help with an account",
    RequestKind.PRIVACY: "A privacy request",
    RequestKind.OTHER: "A request",
}
MAX_CONTACT_CHARACTERS = 254
REQUEST_WINDOW = timedelta(days=1)
MAX_ORDER_NUMBER_CHARACTERS = 32


async def record_request(
    work: UnitOfWork,
    clock: Clock,
    shop: Shop,
    conversation: Conversation,
    customer: Customer | None,
    kind: RequestKind,
    text: str,
    *,
    order_number: str | None = None,
    contact: str | None = None,
    rating: int | None = None,
) -> ServiceRequest:
    """Record a request under a number of its own, and send it to the shop's mailbox with the conversation.

    Complaints, reviews and opinions become feedback, too. `customer` must be proven, or None; `contact` and
    `order_number` are claims, and are marked so. Beyond twenty open requests of a day in a conversation, which must be
    locked, nothing more is recorded or mailed: the last is returned.
    """
    since = clock.now() - REQUEST_WINDOW
    open_requests = [one for one in await work.requests.open_in(conversation.id) if one.created_at > since]
    if len(open_requests) >= MAX_OPEN_REQUESTS:
        return open_requests[-1]
    request = await add_request(
        work,
        clock,
        shop,
        conversation,
        customer,
        kind,
        text,
        order_number=order_number,
        contact=contact,
        rating=rating,
    )
    await note_opinion(work, clock, shop, request)
    return request


async def add_request(
    work: UnitOfWork,
    clock: Clock,
    shop: Shop,
    conversation: Conversation,
    customer: Customer | None,
    kind: RequestKind,
    text: str,
    *,
    order_number: str | None = None,
    contact: str | None = None,
    rating: int | None = None,
) -> ServiceRequest:
    """The same for what is known to be no flood, and to be feedback already or none at all."""

    def make(number: str) -> ServiceRequest:
        return ServiceRequest(
            number=number,
            kind=kind,
            conversation_id=conversation.id,
            text=clean_text(text)[:MAX_REQUEST_CHARACTERS],
            created_at=clock.now(),
            customer_id=customer.id if customer else None,
            order_number=_short(order_number, MAX_ORDER_NUMBER_CHARACTERS),
            contact=_short(contact, MAX_CONTACT_CHARACTERS),
            rating=rating,
        )

    request = await add_under_new_number(REQUEST_PREFIX, make, work.requests.add)
    await _tell_the_shop(work, clock, shop, conversation, customer, request)
    return request


async def _tell_the_shop(
    work: UnitOfWork,
    clock: Clock,
    shop: Shop,
    conversation: Conversation,
    customer: Customer | None,
    request: ServiceRequest,
) -> None:
    subject = _SUBJECTS[request.kind]
    details = {
        "Order, as the customer says": request.order_number,
        "Contact, as the customer says": request.contact,
        "Rating": f"{request.rating} of 5" if request.rating is not None else None,
    }
    await queue_mail(
        work,
        clock,
        key=f"request:{request.number}",
        to=shop.contact_email,
        subject=f"[{shop.name}] {subject} ({request.number}) from {customer.name if customer else 'a visitor'}",
        body="\n".join(
            [
                f"{subject}: {request.number}",
                "",
                f"    {indented(request.text) or 'no words of its own'}",
                "",
                *(f"{name}: {value}" for name, value in details.items() if value),
                *await conversation_lines(work, conversation, customer, shop.widget.questions),
            ]
        ),
        reply_to=customer.email if customer else None,
    )


def _short(text: str | None, at_most: int) -> str | None:
    """One line of at most so many characters; None when nothing is left."""
    return (" ".join(clean_text(text).split())[:at_most] or None) if text else None
