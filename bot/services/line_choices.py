"""What customers choose while they wait in line: go on waiting, leave a message, or go back to the assistant."""

from __future__ import annotations

from collections.abc import Mapping

from bot.core.conversations import Conversation
from bot.core.handoffs import Stage, Step
from bot.core.shop import Shop
from bot.services.handoff_words import BACK_TO_BOT, LEAVE_MESSAGE, NOT_IN_LINE, WAIT_ON, place_in_words
from bot.services.handoffs import take_step
from bot.services.line_places import place_of
from bot.services.ports import Clock, UnitOfWork
from bot.services.standings import standing_of
from bot.services.system_lines import say

# Which step a choice is; waiting on is none.
LINE_CHOICES: Mapping[str, Step | None] = {
    WAIT_ON: None,
    LEAVE_MESSAGE: Step.LEAVE_MESSAGE,
    BACK_TO_BOT: Step.CANCEL,
}


def is_line_choice(payload: str | None) -> bool:
    """Whether it is one of the choices of those who wait; the dialogue knows nothing of them."""
    return payload in LINE_CHOICES


async def take_line_choice(
    work: UnitOfWork, clock: Clock, shop: Shop, conversation: Conversation, payload: str
) -> Conversation:
    """Do what somebody chose who waits, and tell them. The conversation must be locked; go on with what is returned.

    Whoever was quicker wins: to somebody whose turn has just come it is something they said, and to somebody who waits
    no more it is told so.
    """
    standing = await standing_of(work, conversation)
    if standing.stage is Stage.AGENT:
        return conversation
    if standing.stage is not Stage.QUEUE or standing.handoff is None:
        return await say(work, clock, conversation, NOT_IN_LINE)
    step = LINE_CHOICES[payload]
    if step is not None:
        return (await take_step(work, clock, shop, conversation, step, by=None)).conversation
    place = await place_of(work, clock, shop, standing.handoff)
    return await say(work, clock, conversation, f"All right, you keep your place. {place_in_words(place)}")
