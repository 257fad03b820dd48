"""What customers and the shop are told when a conversation passes between the bot and people."""

from __future__ import annotations

from bot.core.agents import Agent
from bot.core.handoffs import HandoffReason, Step
from bot.core.shop import Shop

_REASONS = {
    HandoffReason.ASKED: "The customer asked for a person.",
    HandoffReason.TURN_FAILED: "The assistant could not answer and apologised.",
    HandoffReason.MISUNDERSTOOD: "The assistant did not understand the customer, several times in a row.",
    HandoffReason.COMPLAINT: "The customer has a complaint.",
    HandoffReason.REPORT_PROBLEM: "The customer reports a problem with an order.",
    HandoffReason.CALLBACK: "The customer would like to be called back.",
    HandoffReason.ABUSE: "The conversation turned abusive, and the assistant stepped back.",
    HandoffReason.ACCOUNT: "The customer needs help with their account.",
    HandoffReason.LOW_RATING: "The customer gave a low rating.",
    HandoffReason.ANGER: "The customer is angry.",
    HandoffReason.FOR_PEOPLE: "The customer wants something that only people do.",
    HandoffReason.TAKEN_OVER: "Somebody at the desk stepped in.",
}


def reason_in_words(reason: HandoffReason) -> str:
    """Why a person is wanted, for the shop's people."""
    return _REASONS[reason]


def words_for(step: Step, shop: Shop, *, by: Agent | None, to: Agent | None) -> str | None:
    """What everybody in the conversation reads when a step was taken; None where somebody else says it."""
    agent = by.name if by else "Our team"
    match step:
        case Step.CLAIM | Step.TAKE_OVER:
            return f"{agent} has joined the conversation."
        case Step.TRANSFER:
            return f"{agent} has passed you on to {to.name if to else 'a colleague'}, who has read along."
        case Step.TRANSFER_TEAM:
            return f"{agent} has passed you on to a colleague. You are in line, and they will see what was said."
        case Step.VANISH:
            return "The person you were talking with lost the connection. You are at the front of the line again."
        case Step.RETURN:
            return f"{agent} has left. {shop.assistant_name}, the assistant, goes on from here."
        case Step.RESOLVE:
            return f"{agent} has closed the conversation. Write again whenever you like."
        case Step.GIVE_UP:
            return "We have not heard from you for a while, so we close this for now. Write again whenever you like."
        case Step.CANCEL:
            return f"You have left the line. {shop.assistant_name}, the assistant, goes on from here."
        case Step.NOBODY_CAME:
            return (
                "I'm sorry: nobody of our team could come in time. Your conversation is noted, and a person will get "
                f"in touch, {shop.reply_time}. Meanwhile {shop.assistant_name}, the assistant, is here."
            )
        case _:
            return None
