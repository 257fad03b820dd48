"""A reward that is not wanted after all: its voucher is taken back, and the points return."""

from __future__ import annotations

import re
from typing import Any

from actions import details
from actions.loyalty import HISTORY, MY_POINTS
from actions.personal import LoyaltyTask
from actions.task import Question, Talk, pick, who
from actions.vouchers import points, usable_vouchers, voucher_line
from actions.wording import TALK_TO_A_PERSON, YES_OR_NO
from bot.core.vouchers import Voucher, VoucherKind
from bot.core.wishes import UNDO_REWARD
from bot.errors import LedgerRefused, VoucherRefused
from bot.services.ledger import balance_of
from bot.services.rewards import undo_reward

_SHOWN = 5
_UNDOES = re.compile(
    r"\b(?:cancel|undo|reverse|revert|take back|return|refund|swap back|don'?t want)\b"
    r".*\b(?:rewards?|vouchers?|redemption|redeem(?:ed|ing)?)\b"
    r"|\b(?:give|get|have|want|need|put|swap|change|turn)\b.*\bpoints? back\b"
    r"|\b(?:vouchers?|rewards?|it|that)\b.*\bback (?:in)?to points?\b|\bun-?redeem\b",
    re.IGNORECASE,
)
_NOT_THIS = re.compile(
    r"^\W*(?:do|does|did|how|what|when|why|will|if)\b|\b(?:orders?|parcel|package|deliver\w*|gift ?cards?)\b",
    re.IGNORECASE,
)
_LATEST = re.compile(r"\b(?:just|last|latest|newest|recent|now)\b", re.IGNORECASE)
# What could mean any reward: the rest of a title says which one.
_COMMON = frozenset("a an the of for my your free off any one with and or reward voucher points back to on".split())


def undoes_reward(text: str) -> bool:
    """Whether somebody wants to give a reward back, and no order; a question about how it goes is none."""
    return _UNDOES.search(text) is not None and _NOT_THIS.search(text) is None


class UndoReward(LoyaltyTask):
    """Takes back an unused reward that points were spent on."""

    wish = UNDO_REWARD
    title = "giving a reward back"

    async def take(self, talk: Talk) -> dict[str, Any]:
        if talk.customer is None:
            return {}
        found = _named(talk, await _candidates(talk))
        return {"item": found.code} if found is not None else {}

    async def obstacle(self, talk: Talk, order: Any) -> bool:
        candidates = await _candidates(talk)
        codes = [voucher.code for voucher in candidates]
        if talk.slots["item"] not in codes:
            # Settled here, so that a yes is to just this one, whatever is redeemed meanwhile.
            just_redeemed = len(codes) == 1 or (bool(codes) and talk.slots["last_wish"] == "redeem_points")
            talk.slots["item"] = codes[0] if just_redeemed else None
        if candidates:
            return False
        talk.say(
            "I find no reward of yours that could be given back: one that was used, is part of an order being paid, or "
            "has run out stays as it is, and so do presents from us.",
            [MY_POINTS, *TALK_TO_A_PERSON],
        )
        return True

    async def details(self, talk: Talk) -> list[str]:
        return ["item", "confirmed"]

    async def question(self, slot: str, talk: Talk) -> Question:
        candidates = await _candidates(talk)
        if slot == "item":
            shown = candidates[:_SHOWN]
            lines = "\n".join(voucher_line(voucher, talk.turn.shop) for voucher in shown)
            choices = [pick(f"{one.title} ({one.code[-4:]})", item=one.code) for one in shown]
            return Question(f"Which reward would you like to give back?\n{lines}", "So, which reward is it?", choices)
        voucher = next(one for one in candidates if one.code == talk.slots["item"])
        price = points(await _price(talk, voucher))
        return Question(
            f"{voucher.title} ({voucher.code}): its code would stop working, and you would get {price} back, good for "
            "as long as they were before. Shall I?",
            f"So, shall I take back {voucher.title} for {price}?",
            YES_OR_NO,
        )

    async def finish(self, talk: Talk) -> None:
        turn, code = talk.turn, talk.slots["item"]
        before = await balance_of(turn.work, turn.clock, who(talk).id)
        try:
            # The same voucher is the same event, in whichever message it is asked for.
            restored = await undo_reward(turn.work, turn.clock, code, key=f"given-back:{code}")
        except (VoucherRefused, LedgerRefused):
            talk.say("That reward was just used or taken back, so I changed nothing.", [HISTORY])
            return
        after = await balance_of(turn.work, turn.clock, who(talk).id)
        lost = "" if after.total - before.total >= restored.points else " Some of them had run out meanwhile."
        talk.say(
            f"Done! The code {code} no longer works, and {points(restored.points)} are back.{lost} "
            f"You have {points(max(after.available, 0))} now.",
            [MY_POINTS],
        )

    async def refuse(self, talk: Talk) -> bool:
        talk.say("All right, you keep your reward.", [MY_POINTS])
        return True


async def _candidates(talk: Talk) -> list[Voucher]:
    """The customer's unused rewards that points were spent on, newest first."""
    bought = [
        voucher
        for voucher in await usable_vouchers(talk)
        if voucher.kind is VoucherKind.REWARD and voucher.entry_id is not None
    ]
    return sorted(bought, key=lambda voucher: voucher.created_at, reverse=True)


def _named(talk: Talk, candidates: list[Voucher]) -> Voucher | None:
    """The reward that the message names: picked, by its code, by its title, or as the latest one."""
    picked, text = details.value(talk.tracker, "item"), details.text_of(talk.tracker)
    for voucher in candidates:
        if picked == voucher.code or voucher.code.lower() in text.lower():
            return voucher
    words = _words(text)
    titled = [voucher for voucher in candidates if _words(voucher.title) & words - _COMMON]
    if len({voucher.title for voucher in titled}) == 1:
        return titled[0]
    is_latest = talk.slots["item"] is None and _LATEST.search(text) is not None
    return candidates[0] if candidates and is_latest else None


def _words(text: str) -> set[str]:
    return {word.removesuffix("s") for word in re.findall(r"[a-z0-9$%.]+", text.lower())}


async def _price(talk: Talk, voucher: Voucher) -> int:
    entry = await talk.turn.work.ledger.get(voucher.entry_id) if voucher.entry_id is not None else None
    return -entry.points if entry is not None else 0
