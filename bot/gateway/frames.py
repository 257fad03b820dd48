"""The frames of the website chat: what a client may send, checked, and what it is sent."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from bot.core.conversations import MAX_TEXT_CHARACTERS, Card, Conversation, InboundMessage, Message, Owner
from bot.core.customers import Customer, IdentityId
from bot.core.languages import spoken_language
from bot.core.shop import Shop
from bot.core.visitor_details import are_details_asked
from bot.errors import BotError
from bot.gateway.limits import RateLimited

MAX_FRAME_BYTES = 16 * 1024

Frame = dict[str, Any]

# Kept and given back as the client wrote it, so that it finds its own again.
_UUID = re.compile("[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class BadFrame(BotError):
    """A frame that is not one of the protocol's."""

    code = "bad_request"

    def __init__(self, message: str, client_id: str | None = None) -> None:
        super().__init__(message)
        self.client_id = client_id


@dataclass(frozen=True)
class Hello:
    """The first frame: who is there, and what they have seen."""

    visitor_token: str | None
    identity_token: str | None
    last_seq: int
    # In which the chat is shown, if the client says so.
    language: str | None = None


@dataclass(frozen=True)
class Send:
    """A message or a picked choice."""

    client_id: str
    text: str
    payload: str | None

    def inbound(self, identity_id: IdentityId) -> InboundMessage:
        """The message as it is recorded. Its id is kept apart from other visitors' ids."""
        return InboundMessage(f"{identity_id}:{self.client_id}", self.text, self.payload)


@dataclass(frozen=True)
class Read:
    """How far the customer has read."""

    seq: int


@dataclass(frozen=True)
class Typing:
    """The customer is writing."""


@dataclass(frozen=True)
class Helpful:
    """Whether an answer of the bot helped."""

    seq: int
    helpful: bool


@dataclass(frozen=True)
class Details:
    """The answers to the questions before the chat, by the question's id."""

    answers: Mapping[str, str]


@dataclass(frozen=True)
class End:
    """The customer closed the chat."""


def parse_json(data: str | bytes) -> Any:
    """JSON of any shape. Raises BadFrame."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadFrame("This is not JSON. Send one JSON object.") from error


def parse_frame(data: str | bytes) -> Hello | Send | Read | Typing | Helpful | Details | End:
    """A client's frame. Raises BadFrame, which says what is wrong."""
    frame = parse_json(data)
    if not isinstance(frame, dict):
        raise BadFrame("A frame is a JSON object with a type.")
    match frame.get("type"):
        case "hello":
            return Hello(
                _optional_text(frame, "visitor_token"),
                _optional_text(frame, "identity_token"),
                _number(frame, "last_seq"),
                # It is a help, and no more: a client that says it wrongly is answered all the same.
                spoken_language(frame.get("language")),
            )
        case "message":
            return Send(_client_id(frame), _text(frame, "text"), None)
        case "choice":
            return Send(_client_id(frame), "", _text(frame, "payload"))
        case "read":
            return Read(_number(frame, "seq"))
        case "typing":
            return Typing()
        case "helpful":
            return Helpful(_number(frame, "seq"), _yes_or_no(frame, "helpful"))
        case "details":
            return Details(_texts(frame, "answers"))
        case "end":
            return End()
    raise BadFrame("A frame needs a type: hello, message, choice, typing, read, helpful, details or end.")


def checked_client_id(value: object) -> str:
    """A client's own id of a message. Raises BadFrame."""
    if not isinstance(value, str) or not _UUID.fullmatch(value):
        raise BadFrame("client_id must be a UUID, new for each message.")
    return value


def _client_id(frame: Frame) -> str:
    return checked_client_id(frame.get("client_id"))


def _text(frame: Frame, name: str) -> str:
    value = frame.get(name)
    client_id = frame.get("client_id")
    if not isinstance(value, str):
        raise BadFrame(f"{name} must be a text.", client_id)
    return value


def _optional_text(frame: Frame, name: str) -> str | None:
    value = frame.get(name)
    if value is None or isinstance(value, str):
        return value or None
    raise BadFrame(f"{name} must be a text or null.")


def _number(frame: Frame, name: str) -> int:
    value = frame.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
        raise BadFrame(f"{name} must be a whole number from 0.")
    return value


def _yes_or_no(frame: Frame, name: str) -> bool:
    value = frame.get(name)
    if not isinstance(value, bool):
        raise BadFrame(f"{name} must be true or false.")
    return value


def _texts(frame: Frame, name: str) -> Mapping[str, str]:
    value = frame.get(name)
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise BadFrame(f"{name} must be an object of texts.")
    return value


def ready_frame(
    token: str, conversation: Conversation, customer: Customer | None, shop: Shop, *, position: int | None, hours: Frame
) -> Frame:
    """The answer to hello."""
    return {
        "type": "ready",
        "visitor_token": token,
        "conversation_id": conversation.id,
        "seq": conversation.last_seq,
        "owner": conversation.owner.value,
        "position": position,
        "hours": hours,
        # Whoever the shop vouches for is known.
        "details_asked": customer is None and are_details_asked(conversation, shop.widget.questions),
        "customer": {"name": customer.name} if customer else None,
        "shop": shop.name,
        "assistant": shop.assistant_name,
        "max_text": MAX_TEXT_CHARACTERS,
    }


def message_frame(message: Message) -> Frame:
    """One message, as socket, event stream and replay show it alike; the customer's own with its client_id."""
    own = {"client_id": message.external_id.rpartition(":")[2]} if message.external_id else {}
    return {
        **own,
        "type": "message",
        "seq": message.seq,
        "author": message.author.value,
        "name": message.author_name,
        "text": message.text,
        "choices": [{"title": choice.title, "payload": choice.payload} for choice in message.choices],
        **({"image": {"url": message.image.url, "alt": message.image.alt}} if message.image else {}),
        **({"cards": [_card(card) for card in message.cards]} if message.cards else {}),
        **({"file": asdict(message.attachment)} if message.attachment else {}),
        **({"helpful": message.helpful} if message.helpful is not None else {}),
        "at": message.at.isoformat(),
    }


def _card(card: Card) -> Frame:
    facts = [{"label": label, "value": value} for label, value in card.facts]
    return {**asdict(card), "facts": facts}


def ack_frame(client_id: str, message: Message) -> Frame:
    """A message is committed."""
    return {"type": "ack", "client_id": client_id, "seq": message.seq}


def hours_frame(is_open: bool, opens_at: datetime | None) -> Frame:
    """Whether people answer now, and when they will."""
    return {"open": is_open, "opens_at": opens_at.isoformat() if opens_at else None}


def owner_frame(owner: Owner, position: int | None = None, name: str | None = None) -> Frame:
    """Who speaks from now on: a person by name; or which place in the line the conversation has."""
    return {"type": "owner", "owner": owner.value, "position": position, "name": name}


def signed_out_frame(*, by_themselves: bool) -> Frame:
    """This conversation may not be seen any more: forget it, and say hello anew."""
    return {"type": "signed_out", "reason": "logged_out" if by_themselves else "expired"}


def typing_frame(author: str = "bot") -> Frame:
    """The bot is at it, or an agent is."""
    return {"type": "typing", "author": author}


def error_frame(error: BotError, client_id: str | None = None) -> Frame:
    """What went wrong, in words for the customer."""
    if client_id is None and isinstance(error, BadFrame) and isinstance(error.client_id, str):
        client_id = error.client_id[:64]
    frame = {"type": "error", "code": error.code, "message": error.message, "client_id": client_id}
    return {**frame, "retry_after": error.retry_after} if isinstance(error, RateLimited) else frame
