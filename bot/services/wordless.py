"""Messages without words: people see them with the conversation, and the assistant says that it cannot."""

from __future__ import annotations

from datetime import timedelta

from bot.core.conversations import Author, Choice, Conversation, InboundMessage, Message, Owner, TurnState
from bot.services.bot_lines import say_at_once
from bot.services.conversations import record_inbound
from bot.services.ports import Clock, UnitOfWork

# As many pictures as an album may have, and their answer.
ALBUM = 12
JUST = timedelta(minutes=10)
# As wherever else it is offered.
TALK_TO_A_PERSON = Choice("Talk to a person", "/contact_human_agent")


async def record_wordless(
    work: UnitOfWork, clock: Clock, conversation: Conversation, inbound: InboundMessage, answer: str
) -> Message:
    """Record a message that has no words, in a conversation that is locked; for people, and not for the bot.

    Where the bot would have to speak, the answer is given, once for many in a row. What was being asked is offered
    with it once more, because the newest choices are those that count; else a person.
    """
    sent = await record_inbound(work, clock, conversation, inbound, for_bot=False)
    bot_answers = conversation.owner is Owner.BOT and conversation.blocked_at is None
    if not bot_answers or await _has_just_been_said(work, sent, answer):
        return sent
    asked = await work.messages.last_offer(conversation.id)
    now = await work.conversations.lock(conversation.id)
    if now is not None:
        await say_at_once(work, clock, now, answer, answering=sent, choices=asked or (TALK_TO_A_PERSON,))
    return sent


async def _has_just_been_said(work: UnitOfWork, sent: Message, answer: str) -> bool:
    """Whether nothing but the like has come since it was said: an album comes as many pictures."""
    before = await work.messages.after(sent.conversation_id, max(sent.seq - ALBUM, 0))
    for message in reversed([one for one in before if one.seq < sent.seq and sent.at - one.at < JUST]):
        if message.text == answer and message.author is Author.BOT:
            return True
        if message.turn_state is not TurnState.NOT_FOR_BOT:
            break
    return False
