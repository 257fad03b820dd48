"""Points: how many there are, where they came from, and what to have for them."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from actions import details
from actions.personal import LoyaltyTask, TellingTask, event_key, program
from actions.task import Question, Talk, pick, who
from actions.wording import YES_OR_NO, Button, day, payload
from bot.core.ledger import EntryKind, LedgerEntry, expiring
from bot.core.loyalty import Reward
from bot.core.money import money_in_words as money
from bot.core.shop import Shop
from bot.core.tiers import TierStanding
from bot.core.voucher_words import last_moment
from bot.core.vouchers import Voucher
from bot.errors import InsufficientPoints
from bot.services.earning import tier_of
from bot.services.ledger import balance_of
from bot.services.punch_cards import cards_of
from bot.services.rewards import redeem_reward
from bot.services.vouchers import vouchers_of

HISTORY_LENGTH = 8
REWARDS_SHOWN = 6
# Points that run out within so many days are mentioned by themselves.
MENTIONED_DAYS = 90

MY_POINTS: Button = {"title": "My points", "payload": payload("check_points")}
USE_POINTS: Button = {"title": "Use my points", "payload": payload("redeem_points")}
HISTORY: Button = {"title": "Where they came from", "payload": payload("check_points", facet="history")}
MY_CARD: Button = {"title": "My punch card", "payload": payload("check_punch_card")}

_HISTORY = re.compile(
    r"\b(?:history|list|where did|come from|came from|earned for|statement|movements|why (?:did|do|are|have)"
    r"|went down|where did they go)\b",
    re.IGNORECASE,
)
_VOUCHERS = re.compile(r"\b(?:vouchers?|coupons?|codes?|rewards? (?:i have|waiting|left)|my rewards?)\b", re.IGNORECASE)
_TIER = re.compile(r"\b(?:tier|level|status|bronze|silver|gold|platinum)\b", re.IGNORECASE)


class CheckPoints(TellingTask):
    """Says how many points there are, what runs out when, the tier, where they came from, and what is waiting."""

    wish = "check_points"
    title = "your points"

    async def take(self, talk: Talk) -> dict[str, Any]:
        # Kept, because whoever has to prove who they are first writes other messages meanwhile.
        return {} if talk.slots["item"] else {"item": _facet(talk)}

    async def finish(self, talk: Talk) -> None:
        match talk.slots["item"]:
            case "history":
                await _say_history(talk)
            case "vouchers":
                await _say_vouchers(talk)
            case "tier":
                await _say_tier(talk)
            case _:
                await _say_balance(talk)


def _facet(talk: Talk) -> str:
    picked = details.value(talk.tracker, "facet")
    if picked is not None:
        return str(picked)
    text = details.text_of(talk.tracker)
    for facet, words in (("history", _HISTORY), ("vouchers", _VOUCHERS), ("tier", _TIER)):
        if words.search(text):
            return facet
    return "balance"


def asks_for_vouchers(text: str) -> bool:
    """Whether somebody wants to see what they have already, rather than get something new."""
    return _VOUCHERS.search(text) is not None and _GETS.search(text) is None


_GETS = re.compile(
    r"\b(?:redeem|use|spend|swap|exchange|turn|convert|get|want|for my points|claim|apply)\b", re.IGNORECASE
)


async def _say_balance(talk: Talk) -> None:
    turn, customer = talk.turn, who(talk)
    balance = await balance_of(turn.work, turn.clock, customer.id)
    standing = await tier_of(turn.work, turn.clock, turn.shop, customer.id)
    tier = f", and your level is {standing.tier.title}" if standing.tier else ""
    if balance.available < 0:
        lines = [
            f"You are {points(-balance.available)} short{tier}: something that you had earned points for came back "
            "after you spent them. The next points that you earn make up for it."
        ]
    else:
        lines = [f"You have {points(balance.available)}{tier}."]
    lots, _ = await turn.work.ledger.open_of(customer.id)
    now = turn.clock.now()
    soon = [(at, left) for at, left in expiring(lots, now) if (at - now).days < MENTIONED_DAYS]
    lines += [f"{points(left)} can be used until {last_day(at, turn.shop)}." for at, left in soon[:3]]
    pending = sorted((lot.available_at, lot.remaining) for lot in lots if lot.is_pending(now))
    if pending:
        when = day(pending[0][0], turn.shop)
        lines.append(f"{points(balance.pending)} more are on their way; the first come in on {when}.")
    lines += _missing_in_words(standing)
    choices = [USE_POINTS] if balance.available > 0 and program(talk).rewards else []
    talk.say("\n".join(lines), [*choices, *_more_to_see(talk)])


def _more_to_see(talk: Talk) -> list[Button]:
    return [HISTORY, MY_CARD] if program(talk).punch_cards else [HISTORY]


async def _say_tier(talk: Talk) -> None:
    turn = talk.turn
    standing = await tier_of(turn.work, turn.clock, turn.shop, who(talk).id)
    if standing.tier is None and standing.next_tier is None:
        talk.say("We have no levels; every point counts the same.", [MY_POINTS])
        return
    title = standing.tier.title if standing.tier else "still to come"
    perks = f" {standing.tier.perks}" if standing.tier and standing.tier.perks else ""
    days = program(talk).tiers.window_days
    lines = [
        f"Your level is {title}.{perks}",
        f"What counts is what you collected in the last {days} days, which is {points(standing.earned)}: "
        "using your points never costs you your level.",
        *_missing_in_words(standing),
    ]
    if standing.tier and standing.until:
        lines.append(f"You keep it until {day(standing.until, turn.shop)} at least.")
    talk.say("\n".join(lines), [MY_POINTS])


def _missing_in_words(standing: TierStanding) -> list[str]:
    if standing.next_tier is None or standing.missing <= 0:
        return []
    return [f"With {points(standing.missing)} more from shopping you reach {standing.next_tier.title}."]


async def _say_history(talk: Talk) -> None:
    turn = talk.turn
    entries = await turn.work.ledger.page(who(talk).id, before=None, limit=HISTORY_LENGTH)
    if not entries:
        talk.say("There are no points on your account yet. You earn them with what you buy.")
        return
    lines = "\n".join(f"{day(entry.at, turn.shop)}: {entry.points:+,} {_event(entry)}" for entry in entries)
    talk.say(f"These are the latest movements of your points:\n{lines}", [MY_POINTS])


def _event(entry: LedgerEntry) -> str:
    about = f" {entry.source}" if entry.source else ""
    match entry.kind:
        case EntryKind.ORDER:
            return f"for order{about}"
        case EntryKind.REFUND:
            return f"taken back:{about} came back" if about else "taken back with a refund"
        case EntryKind.REDEEM:
            return "for a reward"
        case EntryKind.RESTORE:
            return "given back: a reward was cancelled"
        case EntryKind.EXPIRE:
            return "ran out"
        case EntryKind.TRANSFER:
            return "from joining two accounts"
        case EntryKind.OPENING:
            return "brought along when the programme began"
        case EntryKind.REFERRAL:
            return "for bringing a friend"
        case EntryKind.BIRTHDAY:
            return "for your birthday"
        case EntryKind.FEEDBACK:
            return "for your feedback"
        case EntryKind.SURPRISE:
            return "as a surprise from us"
        case EntryKind.GOODWILL:
            return "from our team"
        case EntryKind.CORRECTION:
            return "corrected by our team"


async def _say_vouchers(talk: Talk) -> None:
    turn = talk.turn
    usable = await usable_vouchers(talk)
    if not usable:
        talk.say("No reward is waiting for you at the moment.", [USE_POINTS, MY_POINTS])
        return
    lines = "\n".join(voucher_line(voucher, turn.shop) for voucher in usable)
    first = usable[0]
    link = turn.links.voucher(first.code, turn.clock.now())
    talk.say(f"Waiting for you:\n{lines}\nTo show the first one at the counter: {link}", [MY_POINTS])


async def usable_vouchers(talk: Talk) -> list[Voucher]:
    """What the customer can still use, soonest to end first."""
    turn = talk.turn
    vouchers = await vouchers_of(turn.work, turn.clock, who(talk).id)
    return sorted(vouchers, key=lambda voucher: (voucher.expires_at is None, voucher.expires_at))


def voucher_line(voucher: Voucher, shop: Shop) -> str:
    """A voucher in one line."""
    until = f", until {last_day(voucher.expires_at, shop)}" if voucher.expires_at else ""
    return f"{voucher.title}: {voucher.code}{until}"


def show_voucher(talk: Talk, text: str, voucher: Voucher) -> None:
    """Say something together with a voucher: its code in words, as a picture to scan, and as a page to keep."""
    turn = talk.turn
    now = turn.clock.now()
    until = f" until {last_day(voucher.expires_at, turn.shop)}" if voucher.expires_at else ""
    where = "Show it at the counter"
    if voucher.effect.item is None:
        where += ", or type it in when you pay in the web shop"
    at_least = _at_least(voucher.minimum_minor, turn.shop)
    talk.say(
        f"{text}\nYour code: {voucher.code}\nIt works once{until}{at_least}. {where}. "
        f"To keep it at hand: {turn.links.voucher(voucher.code, now)}",
        image=turn.links.voucher_image(voucher.code, now),
        image_alt=f"QR code of your reward {voucher.code}",
    )


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
            _more_to_see(talk),
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
            lines = "\n".join(f"{_title(reward)}: {points(reward.points)}" for reward in rewards)
            affordable = [reward for reward in rewards if reward.points <= available]
            choices = [pick(_title(reward), item=reward.offer.id) for reward in affordable[-REWARDS_SHOWN:]]
            return Question(
                f"You have {points(available)}. What would you like for them?\n{lines}",
                "So, which reward would you like?",
                choices,
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
    return f"The code works once{_at_least(offer.minimum_minor, shop)}, within {offer.valid_days} days."


def _at_least(minimum_minor: int, shop: Shop) -> str:
    return f" for an order of at least {money(minimum_minor, shop.currency)}" if minimum_minor else ""


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


def _title(reward: Reward) -> str:
    return reward.offer.title


def points(number: int) -> str:
    """A number of points in words."""
    return "1 point" if number == 1 else f"{number:,} points"


def last_day(ends_at: datetime, shop: Shop) -> str:
    """The last day of something that ends at a moment: midnight still belongs to the day before."""
    return day(last_moment(ends_at, shop.hours.zone), shop)


class CheckPunchCard(TellingTask):
    """Says how full the punch cards are, and what is waiting."""

    wish = "check_punch_card"
    title = "your punch card"
    asks_strangers = False

    def is_meant(self, talk: Talk) -> bool:
        if not talk.turn.shop.loyalty or not talk.turn.shop.loyalty.punch_cards:
            return False
        return super().is_meant(talk) or _MY_CARD.search(details.text_of(talk.tracker)) is not None

    async def finish(self, talk: Talk) -> None:
        turn = talk.turn
        now = turn.clock.now()
        lines, free = [], []
        for standing in await cards_of(turn.work, turn.shop, who(talk).id):
            card, had = standing.card, max(standing.stamps, 0)
            lines.append(f"{card.title}: {'●' * had}{'○' * (card.stamps - had)} {had} of {card.stamps}.")
            left = card.stamps - standing.stamps
            lines.append(f"{left} more {'stamp' if left == 1 else 'stamps'} until your reward: {card.offer.title}.")
            free += [voucher for voucher in standing.vouchers if voucher.obstacle(now) is None]
        if free:
            lines.append("And a full card is waiting for you already!")
            show_voucher(talk, "\n".join(lines), free[0])
        else:
            talk.say("\n".join(lines), [MY_POINTS])


_MY_CARD = re.compile(r"\b(?:my (?:\w+ ){0,2}(?:card|stamps?)|do i have|have i|i have|am i)\b", re.IGNORECASE)
