"""What people at the desk do for the customer of a conversation."""

from __future__ import annotations

from bot.gateway.api_requests import Model
from bot.gateway.desk_endpoints import Answer, Call, DeskEndpoints
from bot.gateway.desk_values import ClientId, Points, Short, Typed
from bot.services.desk_customers import ContactChange, change_contact, give_points, propose_same_person
from bot.services.ids import new_id

endpoints = DeskEndpoints()


class GoodwillBody(Model):
    """Points, and why. The same key is the same gift."""

    points: Points
    reason: Typed
    key: ClientId | None = None


class CustomerBody(Model):
    """How the customer is reached."""

    phone: Short | None = None
    email: Short | None = None
    address: Typed | None = None


class MergeBody(Model):
    """Who the customer may be as well: the shop's number, or an e-mail address."""

    other: Short


@endpoints.add("POST", "/conversations/{id}/goodwill")
async def goodwill(call: Call) -> Answer:
    """Give the customer points, within what one's role may give."""
    body = await call.body(GoodwillBody)
    key = body.key or new_id()
    entry = await give_points(
        *(call.db, call.clock, call.shop, call.agent, call.conversation_id, body.points), reason=body.reason, key=key
    )
    return {"points": entry.points, "entry_id": entry.id}


@endpoints.add("POST", "/conversations/{id}/customer")
async def customer(call: Call) -> Answer:
    """Change how the customer is reached."""
    body = await call.body(CustomerBody)
    change = ContactChange(body.phone, body.email, body.address)
    changed = await change_contact(call.db, call.clock, call.shop, call.agent, call.conversation_id, change)
    return {"phone": changed.phone, "email": changed.email, "address": changed.address}


@endpoints.add("POST", "/conversations/{id}/merge")
async def merge(call: Call) -> Answer:
    """Propose that the customer is also somebody else; an admin decides."""
    body = await call.body(MergeBody)
    proposed = await propose_same_person(call.db, call.clock, call.agent, call.conversation_id, body.other)
    return {"id": proposed.id, "state": proposed.state.value}
