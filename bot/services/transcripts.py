"""Who is asking and what was said, for the people of the shop who read it in a mail."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.core.attachments import file_in_words
from bot.core.conversations import Author, Conversation, Message
from bot.core.customers import Customer
from bot.core.widget import Question
from bot.services.ports import UnitOfWork

TRANSCRIPT_MESSAGES = 100
_SECRET_LINK = re.compile(r"(/(?:invoices|my-data|rewards|feedback|unsubscribe|connect/[^/\s]+)/)\S+")


async def conversation_lines(
    work: UnitOfWork, conversation: Conversation, customer: Customer | None, questions: Sequence[Question] = ()
) -> list[str]:
    """The customer, the conversation and its last messages, a line each. `customer` must be proven, or None.

    What the visitor said before the chat is told as what it is: `questions` are those that the shop asks then.
    """
    transcript = await work.messages.after(
        conversation.id, max(conversation.last_seq - TRANSCRIPT_MESSAGES, 0), TRANSCRIPT_MESSAGES
    )
    who = "a visitor without a sign-in"
    if customer is not None:
        known = (customer.external_id, customer.email, customer.phone)
        who = f"{customer.name} ({', '.join(one for one in known if one)})"
    return [
        f"Customer: {who}",
        f"Conversation: {conversation.id}, on {conversation.channel}",
        *_claims(conversation, questions),
        "",
        *(_line(message) for message in transcript),
    ]


def _claims(conversation: Conversation, questions: Sequence[Question]) -> list[str]:
    if not conversation.visitor_details:
        return []
    labels = {question.id: question.label for question in questions}
    answers = conversation.visitor_details.items()
    return [
        "Said before the chat (nobody has checked it):",
        *(f"    {indented(labels.get(name, name))}: {indented(answer)}" for name, answer in answers),
    ]


def indented(text: str) -> str:
    """A text of several lines with all but the first moved in, so that nobody can write a line in another's name."""
    return "\n    ".join(text.splitlines())


def _line(message: Message) -> str:
    name = {Author.CUSTOMER: "Customer", Author.SYSTEM: "System"}.get(
        message.author, message.author_name or message.author.value
    )
    # Whoever has the link of an invoice, a voucher or a question can open it.
    text = _SECRET_LINK.sub(r"\1…", indented(message.text))
    picture = f" [picture: {indented(message.image.alt)}]" if message.image else ""
    # A picture with a caption: the caption is the text.
    file = message.attachment and file_in_words(message.attachment)
    picture += f" {indented(file)}" if file and file not in message.text else ""
    return f"{message.at:%Y-%m-%d %H:%M} UTC  {name}: {text}{picture}"
