"""Points: how many there are, and where they came from; the level and the punch card."""

from __future__ import annotations

import re
from typing import Any

from actions import details
from actions.cards import points_card
from actions.personal import TellingTask, program
from actions.task import Talk, who
from actions.vouchers import last_day, points, show_voucher, usable_vouchers, voucher_line
from actions.wording import Button, day, payload
from bot.core.ledger import EntryKind, LedgerEntry, expiring
from bot.core.tiers import TierStanding
from bot.services.earning import tier_of
from bot.services.ledger import balance_of
from bot.services.punch_cards import cards_of

HISTORY_LENGTH = 8
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
    facts = []
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
    facts += [(f"To be used until {last_day(at, turn.shop)}", points(left)) for at, left in soon[:3]]
    pending = sorted((lot.available_at, lot.remaining) for lot in lots if lot.is_pending(now))
    if pending:
        when = day(pending[0][0], turn.shop)
        lines.append(f"{points(balance.pending)} more are on their way; the first come in on {when}.")
        facts.append((f"On their way, from {when}", points(balance.pending)))
    lines += _missing_in_words(standing)
    choices = [USE_POINTS] if balance.available > 0 and program(talk).rewards else []
    # Who owes points needs the words that say why.
    cards = [points_card(balance.available, standing, program(talk).tiers, facts)] if balance.available >= 0 else []
    talk.say("\n".join(lines), [*choices, *more_to_see(talk)], cards=cards)


def more_to_see(talk: Talk) -> list[Button]:
    """What there is beside a balance."""
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
