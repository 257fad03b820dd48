"""What the desk's API answers: people, conversations and customers as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from bot.core.agents import Agent
from bot.core.conversations import ConversationEvent, Message
from bot.core.desk_records import DeskNote, Listed, TeachingMark, Understood, preview
from bot.core.feedback import Feedback
from bot.core.orders import Order
from bot.core.vouchers import Voucher
from bot.gateway.frames import message_frame
from bot.services.customer_panel import CustomerPanel, MergeProposal
from bot.services.desk_views import ConversationView
from bot.services.handoff_words import reason_in_words

Json = dict[str, Any]


def moment(value: date | datetime | None) -> str | None:
    """A moment or a day as JSON has it."""
    return value.isoformat() if value is not None else None


def agent_answer(agent: Agent, now: datetime | None = None) -> Json:
    """Somebody at the desk; with the time, also whether they are there."""
    answer = {
        "id": agent.id,
        "email": agent.email,
        "name": agent.name,
        "role": agent.role.value,
        "presence": agent.presence.value,
        "capacity": agent.capacity,
        "skills": list(agent.skills),
        "languages": list(agent.languages),
        "must_change_password": agent.must_change_password,
        "disabled": agent.disabled_at is not None,
        "seen_at": moment(agent.seen_at),
    }
    return answer if now is None else {**answer, "is_there": agent.is_there(now)}


def row_answer(listed: Listed, agent: Agent, now: datetime) -> Json:
    """A conversation as a list shows it to somebody."""
    conversation, handoff = listed.conversation, listed.handoff
    claimed = dict(conversation.visitor_details or {})
    verified = conversation.verified_customer(now) is not None
    offered = handoff is not None and handoff.offered_to == agent.id
    offered = offered and handoff is not None and handoff.offered_until is not None and now < handoff.offered_until
    last = None
    if listed.last_author is not None:
        text = preview(listed.last_text or "")
        last = {"author": listed.last_author.value, "text": text, "at": moment(listed.last_at)}
    row: Json = {
        "id": conversation.id,
        "channel": conversation.channel,
        "stage": listed.stage.value,
        "owner": conversation.owner.value,
        "customer": {"name": listed.customer_name or claimed.get("name"), "verified": verified, "claimed": claimed},
        "agent": None,
        "position": listed.position,
        "offered_to_me": offered,
        "labels": list(listed.labels),
        "last": last,
        "unread": listed.unread,
        "seq": conversation.last_seq,
        # How far the customer has read.
        "read_seq": conversation.read_seq,
        "blocked": conversation.blocked_at is not None,
        # Whoever sits at that screen now is somebody else.
        "signed_out": conversation.signed_out_at is not None,
        "created_at": moment(conversation.created_at),
        "resolved_at": moment(conversation.resolved_at),
    }
    of_handoff = {
        **dict.fromkeys(("reason", "topic", "language", "waiting_since", "offered_until", "due_at", "snoozed_until")),
        **{"priority": 0, "contact": None, "requested_at": None, "claimed_at": None},
    }
    if handoff is not None:
        for name in of_handoff:
            value = getattr(handoff, name)
            of_handoff[name] = moment(value) if isinstance(value, datetime) else getattr(value, "value", value)
        if handoff.agent_id is not None and listed.agent_name is not None:
            row["agent"] = {"id": handoff.agent_id, "name": listed.agent_name}
    of_handoff["language"] = of_handoff["language"] or conversation.language
    return {**row, **of_handoff}


def message_answer(
    message: Message,
    understood: Understood | None = None,
    taught: str | None = None,
    deleted_files: Set[str] = frozenset(),
) -> Json:
    """A message as the chat shows it, without what choices do; with who wrote it, and what the assistant made of it."""
    frame = message_frame(message)
    if message.attachment is not None:
        frame["file"] = file_answer(message, is_deleted=message.attachment.id in deleted_files)
    frame["choices"] = [{"title": choice.title} for choice in message.choices]
    frame["agent_id"] = message.agent_id
    if message.client_id is not None:
        frame["client_id"] = message.client_id
    frame["understood"] = (
        {"intent": understood.intent, "confidence": round(understood.confidence, 3)} if understood else None
    )
    return {**frame, "taught": taught}


def file_answer(message: Message, *, is_deleted: bool = False) -> Json | None:
    """The file that goes with a message, and whether it is still there."""
    return {**asdict(message.attachment), "deleted": is_deleted} if message.attachment is not None else None


def claimed_answer(view: ConversationView) -> list[Json]:
    """What the visitor said before the chat, as the shop asks for it; a question it asks no more has no title."""
    titles = {question.id: question.label for question in view.questions}
    claimed = view.listed.conversation.visitor_details or {}
    return [{"id": name, "title": titles.get(name), "answer": answer} for name, answer in claimed.items()]


def view_answer(view: ConversationView, agent: Agent, now: datetime, viewers: Sequence[Json]) -> Json:
    """A conversation whole."""
    handoff = view.listed.handoff
    summary = {**handoff.summary, "why": reason_in_words(handoff.reason)} if handoff else {}
    verified = view.listed.conversation.verified_customer(now) is not None
    messages = [
        message_answer(one, view.understood.get(one.id), view.taught.get(one.seq), view.deleted_files)
        for one in view.messages
    ]
    return {
        "conversation": row_answer(view.listed, agent, now),
        "messages": messages,
        "notes": [note_answer(note, view.agents) for note in view.notes],
        "events": [event_answer(event, view.agents) for event in view.events],
        "summary": summary,
        "claimed": claimed_answer(view),
        "customer": panel_answer(view.panel, agent, now, verified=verified) if view.panel else None,
        "viewers": list(viewers),
    }


def note_answer(note: DeskNote, agents: Mapping[str, Agent]) -> Json:
    """A note, with whoever wrote it."""
    author = agents.get(note.agent_id)
    who = {"id": note.agent_id, "name": author.name if author else None}
    return {"id": note.id, "agent": who, "text": note.text, "after_seq": note.after_seq, "at": moment(note.at)}


def event_answer(event: ConversationEvent, agents: Mapping[str, Agent]) -> Json:
    """Something that happened and that no message shows, and by whom, if it was somebody at the desk."""
    by = agents.get(str(event.detail.get("agent")))
    return {"kind": event.kind, "detail": plain(event.detail), "by": by.name if by else None, "at": moment(event.at)}


def mark_answer(mark: TeachingMark, agents: Mapping[str, Agent]) -> Json:
    """A message that was misunderstood."""
    author = agents.get(mark.agent_id)
    return {
        "conversation_id": mark.conversation_id,
        "seq": mark.seq,
        "text": mark.text,
        "understood": mark.understood,
        "intent": mark.intent,
        "agent": {"id": mark.agent_id, "name": author.name if author else None},
        "at": moment(mark.at),
    }


def panel_answer(panel: CustomerPanel, agent: Agent, now: datetime, *, verified: bool) -> Json:
    """What stands beside a conversation."""
    customer = panel.customer
    return {
        "id": customer.id,
        "external_id": customer.external_id,
        "name": customer.name,
        "preferred_name": customer.preferred_name,
        "email": customer.email,
        "phone": customer.phone,
        "address": customer.address,
        "language": customer.language,
        "verified": verified,
        "since": moment(customer.created_at),
        "stage": panel.stage.value,
        "tags": [tag.tag for tag in panel.tags],
        "orders": [order_answer(order) for order in panel.orders],
        "points": {
            "available": panel.balance.available,
            "pending": panel.balance.pending,
            "tier": panel.tier.tier.title if panel.tier and panel.tier.tier else None,
        },
        "cards": [{"title": one.card.title, "stamps": one.stamps, "of": one.card.stamps} for one in panel.cards],
        "vouchers": [voucher_answer(voucher) for voucher in panel.vouchers],
        "feedback": [feedback_answer(one) for one in panel.feedback],
        "conversations": [row_answer(one, agent, now) for one in panel.conversations],
        "notes": [
            {"id": note.id, "author": note.author, "text": note.text, "at": moment(note.created_at)}
            for note in panel.notes
        ],
        # Without the ids: that of a voucher is its code, which is the customer's money.
        "timeline": [{"at": moment(one.at), "kind": one.kind, "detail": plain(one.detail)} for one in panel.timeline],
        "merge_proposals": [proposal_answer(one) for one in panel.proposals],
    }


def order_answer(order: Order) -> Json:
    """An order; money in minor units."""
    return {
        "number": order.number,
        "status": order.status.value,
        "placed_at": moment(order.placed_at),
        "total_minor": order.total_minor,
        "currency": order.currency,
        "due_on": moment(order.due_on),
        "carrier": order.carrier,
        "tracking_number": order.tracking_number,
        "lines": [
            {
                "sku": line.sku,
                "name": line.title,
                "quantity": line.quantity,
                "unit_price_minor": line.unit_price_minor,
            }
            for line in order.lines
        ],
    }


def voucher_answer(voucher: Voucher) -> Json:
    """A voucher that can be used. Its code is the customer's money, and shown by its end alone."""
    return {
        "code": f"…{voucher.code[-4:]}",
        "kind": voucher.kind.value,
        "title": voucher.title,
        "expires_at": moment(voucher.expires_at),
    }


def feedback_answer(feedback: Feedback) -> Json:
    """What somebody said, or was asked."""
    return {
        "kind": feedback.kind.value,
        "score": feedback.score,
        "text": feedback.text,
        "order_number": feedback.order_number,
        "at": moment(feedback.answered_at or feedback.declined_at or feedback.asked_at),
    }


def proposal_answer(proposal: MergeProposal) -> Json:
    """Somebody who may be the same person."""
    return {
        "id": proposal.merge.id,
        "state": proposal.merge.state.value,
        "reason": proposal.merge.reason,
        "name": proposal.other.name,
        "external_id": proposal.other.external_id,
    }


def plain(value: Any) -> Any:
    """Data as JSON has it."""
    if isinstance(value, Mapping):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    return moment(value) if isinstance(value, date | datetime) else value
