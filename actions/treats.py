"""Birthdays, friends brought along, and gift cards."""

from __future__ import annotations

import calendar
import re
from datetime import date
from typing import Any

from actions import details
from actions.loyalty import MY_POINTS
from actions.personal import LoyaltyTask, PersonalTask, TellingTask, is_near_an_answer, program
from actions.task import Access, Question, Talk, is_something_else, picked_or_written, who
from actions.vouchers import last_day, points, show_voucher, usable_vouchers
from actions.wording import TALK_TO_A_PERSON, YES_OR_NO
from bot.core.birthdays import is_birthday
from bot.core.loyalty import ReferralRules
from bot.core.money import money_in_words as money
from bot.core.referrals import referral_link
from bot.core.vouchers import VoucherKind
from bot.errors import BotError, ReferralRefused
from bot.services.birthdays import set_birthday
from bot.services.gift_cards import look_up_gift_card
from bot.services.orders import LookupRefusal
from bot.services.referrals import join_by_referral, referral_code, referrals_of

# A year in which every birthday exists.
_LEAP_YEAR = 2000
_MONTHS = {name.lower(): number for number, name in enumerate(calendar.month_name) if number}
_MONTHS |= {name[:3]: number for name, number in _MONTHS.items()} | {"sept": 9}
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_DAY_MONTH = re.compile(rf"\b(\d{{1,2}})(?:st|nd|rd|th)?\.?(?: of|,)? *-?({_MONTH})\b", re.IGNORECASE)
_MONTH_DAY = re.compile(rf"\b({_MONTH})\.? *-?(?:the )?(\d{{1,2}})(?:st|nd|rd|th)?\b", re.IGNORECASE)
_NUMBERS = re.compile(r"\b(\d{1,2})[/.-](\d{1,2})(?:[/.-]\d{2,4})?\b")
_ISO = re.compile(r"\b(?:\d{4}-)?(\d{2})-(\d{2})\b")


def birthday_in(text: str) -> tuple[int, int] | None:
    """The month and day that somebody writes as their birthday; None without one.

    "3/14" can only be March; "3/4" is taken as month and day, as the shop's country writes it, and is read back.
    """
    if match := _DAY_MONTH.search(text):
        found = [(_MONTHS[match[2].lower()], int(match[1]))]
    elif match := _MONTH_DAY.search(text):
        found = [(_MONTHS[match[1].lower()], int(match[2]))]
    elif match := _ISO.search(text):
        found = [(int(match[1]), int(match[2]))]
    elif match := _NUMBERS.search(text):
        found = [(int(match[1]), int(match[2])), (int(match[2]), int(match[1]))]
    else:
        return None
    return next((one for one in found if is_birthday(*one)), None)


def birthday_in_words(month: int, day: int) -> str:
    """A birthday as people say it: `29 February`."""
    return f"{day} {date(_LEAP_YEAR, month, day):%B}"


class BirthdayTreat(LoyaltyTask):
    """Says what there is for a birthday, and notes when it is."""

    wish = "birthday_treat"
    title = "your birthday"
    asks_strangers = False

    def is_meant(self, talk: Talk) -> bool:
        loyalty = talk.turn.shop.loyalty
        if loyalty is None or loyalty.birthday is None:
            return False
        text = details.text_of(talk.tracker)
        if birthday_in(text) is not None:
            return True
        return super().is_meant(talk) and not (_HOW.search(text) and is_near_an_answer(talk))

    async def details(self, talk: Talk) -> list[str]:
        customer = who(talk)
        given = talk.slots["birthday"]
        known = _birthday_slot(customer.birthday_month, customer.birthday_day)
        if given is None:
            return [] if known else ["birthday", "confirmed"]
        return ["confirmed"] if given != known else []

    async def take(self, talk: Talk) -> dict[str, Any]:
        text = details.text_of(talk.tracker)
        found = birthday_in(text) if text else None
        if found is not None:
            return {"birthday": _birthday_slot(*found)}
        if picked_or_written(talk, "birthday") and not is_something_else(talk):
            talk.say("I did not find a day and a month in that. For example: 14 March.")
        return {}

    async def question(self, slot: str, talk: Talk) -> Question:
        treat = _treat(talk)
        if slot == "birthday":
            return Question(
                f"For your birthday there is a treat from us: {treat}. I don't know yet when that is. "
                "Which day and month? I don't need the year.",
                "So, which day and month is your birthday?",
            )
        words = birthday_in_words(*_month_and_day(talk))
        return Question(f"Your birthday is on {words}, is that right?", f"So, is it {words}?", YES_OR_NO)

    async def finish(self, talk: Talk) -> None:
        turn, customer = talk.turn, who(talk)
        if talk.slots["confirmed"]:
            month, day = _month_and_day(talk)
            try:
                await set_birthday(turn.work, turn.clock, customer.id, month, day)
            except BotError as refused:
                talk.say(refused.message, TALK_TO_A_PERSON)
                return
            turn.customer = await turn.work.customers.get(customer.id)
            notice = program(talk).birthday
            days = notice.notice_days if notice else 0
            talk.say(
                f"Noted: {birthday_in_words(month, day)}. Your treat ({_treat(talk)}) comes by itself on that day, "
                f"once a year. If the day is less than {days} days away, it begins with next year's."
            )
            return
        waiting = [one for one in await usable_vouchers(talk) if one.kind is VoucherKind.BIRTHDAY]
        if waiting:
            show_voucher(talk, f"Happy birthday! This is for you: {waiting[0].title}.", waiting[0])
            return
        words = birthday_in_words(customer.birthday_month or 1, customer.birthday_day or 1)
        leap = ""
        if (customer.birthday_month, customer.birthday_day) == (2, 29) and (rules := program(talk).birthday):
            leap = f" In years without that day it comes on {birthday_in_words(*rules.leap_day)}."
        talk.say(
            f"Your birthday is on {words}: that day you get {_treat(talk)} from us, once a year.{leap} "
            "If the date is wrong, just write me the right one.",
            [MY_POINTS],
        )

    async def refuse(self, talk: Talk) -> bool:
        talk.slots["birthday"] = None
        talk.say("Then I got it wrong.")
        return False


_HOW = re.compile(r"^\W*(?:how|what|can|could|does|is there|until when|where)\b", re.IGNORECASE)


def _treat(talk: Talk) -> str:
    rules = program(talk).birthday
    return rules.offer.title if rules else ""


def _birthday_slot(month: int | None, day: int | None) -> str | None:
    return f"{month:02d}-{day:02d}" if month and day else None


def _month_and_day(talk: Talk) -> tuple[int, int]:
    month, day = str(talk.slots["birthday"]).split("-")
    return int(month), int(day)


class ReferFriend(TellingTask):
    """Gives the code for friends; takes the code of whoever was brought by one."""

    wish = "refer_friend"
    title = "bringing a friend"
    asks_strangers = False

    def is_meant(self, talk: Talk) -> bool:
        loyalty = talk.turn.shop.loyalty
        if loyalty is None or loyalty.referral is None:
            return False
        text = details.text_of(talk.tracker)
        return super().is_meant(talk) or _MY_CODE.search(text) is not None or _code_of_a_friend(text) is not None

    async def take(self, talk: Talk) -> dict[str, Any]:
        code = _code_of_a_friend(details.text_of(talk.tracker))
        return {"card_code": code} if code else {}

    async def finish(self, talk: Talk) -> None:
        if talk.slots["card_code"]:
            await _join(talk)
        else:
            await _show_code(talk)


_MY_CODE = re.compile(r"\bmy (?:\w+ ){0,2}(?:code|link)\b", re.IGNORECASE)
_FRIENDS = re.compile(r"\b(?:friend|referred|referral|invited|gave me|sent me|recommended)\b", re.IGNORECASE)
_CODE = re.compile(r"\b(?=[A-Z0-9-]*[0-9])(?=[A-Z0-9-]*[A-Z])[A-Z0-9]{3,}(?:-?[A-Z0-9]{2,})*\b")


def _code_of_a_friend(text: str) -> str | None:
    match = _CODE.search(text) if _FRIENDS.search(text) else None
    return match[0] if match else None


async def _join(talk: Talk) -> None:
    turn = talk.turn
    try:
        await join_by_referral(turn.work, turn.clock, turn.shop, who(talk).id, talk.slots["card_code"])
    except ReferralRefused as refused:
        talk.say(refused.message, TALK_TO_A_PERSON)
        return
    rules = _referral_rules(talk)
    talk.say(
        f"Welcome! Once your first order is paid and {rules.hold_days} days have passed, you get "
        f"{points(rules.referee_points)}, and your friend gets {points(rules.referrer_points)}."
    )


async def _show_code(talk: Talk) -> None:
    turn, rules = talk.turn, _referral_rules(talk)
    code = await referral_code(turn.work, turn.clock, who(talk).id)
    shop_page = turn.shop.links.get("shop")
    link = f"\nOr send this link: {referral_link(shop_page, code)}" if shop_page else ""
    brought = await referrals_of(turn.work, who(talk).id)
    rewarded = sum(one.rewarded_at is not None for one in brought)
    so_far = f"\nSo far you have brought {len(brought)}, and were rewarded for {rewarded}." if brought else ""
    talk.say(
        f"Your code for friends is {code}.{link}\nWhen somebody who is new to us uses it for a first order, you get "
        f"{points(rules.referrer_points)} and they get {points(rules.referee_points)}, {rules.hold_days} days after "
        f"that order is paid.{so_far}",
        [MY_POINTS],
    )


def _referral_rules(talk: Talk) -> ReferralRules:
    rules = program(talk).referral
    assert rules is not None  # noqa: S101 - the task is not meant otherwise
    return rules


class GiftCard(PersonalTask):
    """Says what is left on a gift card. Whoever knows its code may know that."""

    wish = "gift_card"
    title = "your gift card"
    access = Access.ANYBODY

    def is_meant(self, talk: Talk) -> bool:
        text = details.text_of(talk.tracker)
        return details.was_picked(talk.tracker) or _ON_IT.search(text) is not None or _card_code(text) is not None

    async def details(self, talk: Talk) -> list[str]:
        return ["card_code"]

    async def take(self, talk: Talk) -> dict[str, Any]:
        text = details.text_of(talk.tracker)
        code = _card_code(text)
        if code is None and picked_or_written(talk, "card_code") and not is_something_else(talk):
            talk.say("That does not look like the code of a gift card.", TALK_TO_A_PERSON)
        return {"card_code": code} if code else {}

    async def question(self, slot: str, talk: Talk) -> Question:
        return Question(
            "Gladly! What is the code on the gift card? It has letters and digits, in groups.",
            "So, what is the code on the gift card?",
        )

    async def finish(self, talk: Talk) -> None:
        turn = talk.turn
        found = await look_up_gift_card(
            turn.work, turn.clock, turn.conversation.id, talk.slots["card_code"], turn.shop.lookup_limits
        )
        match found:
            case LookupRefusal.TOO_MANY_ATTEMPTS:
                talk.say("That was one try too many, so I cannot look into gift cards for now.", TALK_TO_A_PERSON)
            case LookupRefusal.NO_MATCH:
                talk.say("I find no gift card with that code. Please check it once more.", TALK_TO_A_PERSON)
            case _:
                card = found.card
                left = money(found.balance_minor, card.currency)
                said = f"There is {left} left on the gift card that ends in {card.last_characters}."
                match card.obstacle(turn.clock.now()):
                    case None:
                        until = f" It is good until {last_day(card.expires_at, turn.shop)}." if card.expires_at else ""
                        talk.say(f"{said}{until}")
                    case "expired":
                        talk.say("The time for that gift card is over, I'm sorry.", TALK_TO_A_PERSON)
                    case _:
                        talk.say(
                            f"{said} But it is blocked at the moment; a person can tell you why.", TALK_TO_A_PERSON
                        )


_ON_IT = re.compile(
    r"\b(?:balance|left|remaining|worth|still (?:money|good|something)|how much (?:money )?(?:is|do i have|have i)"
    r"|what(?:'?s| is) (?:still )?on (?:my|a|the|this)"
    r"|check (?:my|a|the|this) (?:gift ?)?card)\b",
    re.IGNORECASE,
)
_CARD_CODE = re.compile(r"\b[A-Z0-9]{4}(?:[ -]?[A-Z0-9]{4}){2,4}\b", re.IGNORECASE)


def _card_code(text: str) -> str | None:
    match = next((one[0] for one in _CARD_CODE.finditer(text) if any(map(str.isdigit, one[0]))), None)
    return match.upper() if match else None
