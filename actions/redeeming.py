"""Points swapped for rewards."""

from __future__ import annotations

import re
from typing import Any

from actions import details
from actions.cards import CARDS_AT_MOST, reward_card
from actions.loyalty import HISTORY, MY_POINTS, more_to_see
from actions.personal import LoyaltyTask, event_key, program
from actions.task import Question, Talk, pick, who
from actions.vouchers import at_least, points, show_voucher
from actions.wording import YES_OR_NO, Button
from bot.core.loyalty import Reward
from bot.core.shop import Shop
from bot.errors import InsufficientPoints
from bot.services.ledger import balance_of
from bot.services.rewards import redeem_reward

REWARDS_SHOWN = 6


class RedeemPoints(LoyaltyTask):
    """Swaps points for a reward."""

    wish = "redeem_points"
    title = "your reward"

    def is_meant(self, talk: Talk) -> bool:
        # Points are nobody else's, and no way to pay for what was ordered already.
        is_for_others = _GIVES_AWAY.search(details.text_of(talk.tracker)) is not None
        return super().is_meant(talk) and not is_for_others

    async def details(self, talk: Talk) -> list[str]:
        return ["item", "confirmed"]

    async def obstacle(self, talk: Talk, order: Any) -> bool:
        rewards = program(talk).rewards
        if not rewards:
            talk.say("There are no rewards to choose from right now; your points stay yours.")
            return True
        available = await _available(talk)
        cheapest = min(rewards, key=lambda reward: reward.points)
        if available >= cheapest.points:
            return False
        talk.say(
            f"You have {points(max(available, 0))}. The first reward is {_title(cheapest)} for "
            f"{points(cheapest.points)}, so {points(cheapest.points - available)} are missing.",
            more_to_see(talk),
        )
        return True

    async def take(self, talk: Talk) -> dict[str, Any]:
        chosen = _chosen(talk)
        if chosen is None:
            return {}
        available = await _available(talk) if talk.customer else chosen.points
        if chosen.points > available:
            talk.say(f"{_title(chosen)} takes {points(chosen.points)}, and you have {points(max(available, 0))}.")
            return {"item": None}
        return {"item": chosen.offer.id}

    async def question(self, slot: str, talk: Talk) -> Question:
        available = await _available(talk)
        if slot == "item":
            rewards = sorted(program(talk).rewards, key=lambda reward: reward.points)
            lines = "\n".join(_line(reward, available) for reward in rewards)
            affordable = [reward for reward in rewards if reward.points <= available]
            choices = [_pick(reward) for reward in affordable[-REWARDS_SHOWN:]]
            cards = [reward_card(reward, available, _pick(reward)) for reward in rewards]
            return Question(
                f"You have {points(available)}. What would you like for them?\n{lines}",
                "So, which reward would you like?",
                choices,
                cards if len(cards) <= CARDS_AT_MOST else (),
            )
        reward = _reward(talk)
        left = available - reward.points
        return Question(
            f"{_title(reward)} for {points(reward.points)}: after that you have {points(left)} left. "
            f"{_terms(reward, talk.turn.shop)} Shall I?",
            f"So, shall I give {points(reward.points)} for {_title(reward)}?",
            YES_OR_NO,
        )

    async def finish(self, talk: Talk) -> None:
        turn, reward = talk.turn, _reward(talk)
        try:
            voucher = await redeem_reward(
                turn.work, turn.clock, turn.shop, who(talk).id, reward.offer.id, key=event_key(talk, "redeem")
            )
        except InsufficientPoints as refused:
            talk.say(
                f"Your points have just changed: you have {points(refused.available)}, so I spent none.", [HISTORY]
            )
            return
        left = await _available(talk)
        text = f"Done! {_title(reward)} is yours, and you have {points(left)} left."
        show_voucher(talk, text, voucher)

    async def refuse(self, talk: Talk) -> bool:
        talk.say("All right, your points stay as they are.", [MY_POINTS])
        return True


_GIVES_AWAY = re.compile(
    r"\b(?:transfer|(?:give|send|gift|move)\b.*\bto\b|pay (?:for )?(?:my |an? |the )?order)\b", re.IGNORECASE
)


async def _available(talk: Talk) -> int:
    return (await balance_of(talk.turn.work, talk.turn.clock, who(talk).id)).available


def _reward(talk: Talk) -> Reward:
    reward = program(talk).reward(talk.slots["item"])
    assert reward is not None  # noqa: S101 - the slot only takes those there are
    return reward


def _terms(reward: Reward, shop: Shop) -> str:
    """What whoever takes it should know before."""
    offer = reward.offer
    return f"The code works once{at_least(offer.minimum_minor, shop)}, within {offer.valid_days} days."


def _chosen(talk: Talk) -> Reward | None:
    """The reward that the message names: picked, by its title, or by so many points where only one costs that."""
    rewards = program(talk).rewards
    picked = details.value(talk.tracker, "item")
    if picked is not None:
        return program(talk).reward(str(picked))
    words = _words(details.text_of(talk.tracker)) - _COMMON
    # Whoever is asked for a reward and says "a coffee" means the cup.
    for said in (words, {"cup"} if talk.requested == "item" and words & _DRINKS else set()):
        named = [(len(found), reward) for reward in rewards if (found := _words(_title(reward)) & said)]
        most = max((count for count, _ in named), default=0)
        best = [reward for count, reward in named if count == most]
        if len(best) == 1:
            return best[0]
    amount = details.value(talk.tracker, "points") or _bare_amount(talk)
    costing = [reward for reward in rewards if amount is not None and str(reward.points) == str(amount)]
    return costing[0] if len(costing) == 1 else None


def _bare_amount(talk: Talk) -> str | None:
    """A number that stands alone, or at the end of a correction ("no, I meant 150"), where a reward is asked for."""
    match = _BARE_AMOUNT.fullmatch(details.text_of(talk.tracker))
    return match[1].replace(",", "") if match and talk.requested in ("item", "confirmed") else None


_BARE_AMOUNT = re.compile(
    r"(?:.*\b(?:mean|meant|make (?:it|that)|rather|instead|for|change (?:it )?to|it'?s|want)\b"
    r"|\W*(?:no|ok|okay|sorry)\b)?"
    r"\W*(?:the |a |an )?([0-9][0-9,]{1,5})(?: one| then| points?| pls| please| instead)*\W*",
    re.IGNORECASE,
)


def _words(text: str) -> set[str]:
    return {word.removesuffix("s") for word in re.findall(r"[a-z0-9$%.-]+", text.lower())}


_COMMON = _words("a an the of for my your free off any one with and or point reward to on order")


_DRINKS = _words("coffee cofee coffe drink latte cappuccino espresso kape")


def _line(reward: Reward, available: int) -> str:
    missing = reward.points - available
    return f"{_title(reward)}: {points(reward.points)}" + (f" ({points(missing)} missing)" if missing > 0 else "")


def _pick(reward: Reward) -> Button:
    return pick(_title(reward), item=reward.offer.id)


def _title(reward: Reward) -> str:
    return reward.offer.title
