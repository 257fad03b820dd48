"""The one base of Kasuki's own errors, and the few that belong to no single layer."""

from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar


class BotError(Exception):
    """Something went wrong that a person or a program can be told about.

    `code` is stable: it goes into API answers and logs, and each subclass sets its own.
    `message` is one sentence for people that says what to do; it never carries a secret or a customer's words.
    """

    code: ClassVar[str] = "internal_error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ConfigError(BotError):
    """The settings or the business file have faults: all of them, so that one round of corrections is enough.

    `str()` gives each fault a line of its own.
    """

    code = "invalid_configuration"

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))


class TransactionLost(BotError):
    """The database gave a transaction up for another one's sake; nothing was written, and it may be tried again."""

    code = "unavailable"

    def __init__(self) -> None:
        super().__init__("Two were changing the same at one moment, and nothing was saved. Try it again.")


class ConversationNotFound(BotError):
    """There is no such conversation, or not for this visitor."""

    code = "not_found"

    def __init__(self) -> None:
        super().__init__("This conversation does not exist. Start a new one.")


class WrongAnswer(BotError):
    """An answer to one of the questions before the chat that cannot be taken; the message says why."""

    code = "bad_request"


class NotAnAnswer(BotError):
    """What was to be called helpful or not is no answer of the bot in this conversation."""

    code = "bad_request"

    def __init__(self) -> None:
        super().__init__("Only an answer of the assistant can be called helpful or not.")


class SignedOut(BotError):
    """A conversation that was left: the customer has logged out of it, or the proof of who they are has run out."""

    code = "unauthorized"

    def __init__(self) -> None:
        super().__init__("You are not signed in here any more. Reload the page to go on.")


class EmptyText(BotError):
    """A message without a word."""

    code = "bad_request"

    def __init__(self) -> None:
        super().__init__("The message is empty. Write something and send it again.")


class TextTooLong(BotError):
    """A message beyond the limit."""

    code = "too_long"

    def __init__(self) -> None:
        super().__init__("The message is longer than 2,000 characters. Shorten it, or send it in parts.")


class UnknownChoice(BotError):
    """A choice that this conversation was never offered."""

    code = "unknown_choice"

    def __init__(self) -> None:
        super().__init__("This choice is not on offer here. Pick one of the buttons shown, or write a message.")


class DuplicateMessageId(BotError):
    """A message id that was used before, for something else."""

    code = "duplicate_client_id"

    def __init__(self) -> None:
        super().__init__("This id belongs to another message. Send the message again with a new id.")


class FileRefused(BotError):
    """A file that is not taken; nothing was recorded. `reason` says why, in a stable word."""

    code = "file_refused"

    MESSAGES: ClassVar[dict[str, str]] = {
        "empty": "This file is empty. Choose another one.",
        "kind": "Files of this kind cannot be taken. Send a picture (PNG, JPEG, GIF, WebP, HEIC), a PDF or a text.",
        "too_many": "That is as much as can be sent in a day. Try again tomorrow, or write to us in words.",
    }

    def __init__(self, reason: str, what: str | None = None) -> None:
        message = self.MESSAGES[reason]
        if what is not None:
            message = f"This file is {what}, which cannot be taken.{message.partition('.')[2]}"
        super().__init__(message)
        self.reason = reason


class FileTooLarge(BotError):
    """A file beyond the limit; nothing was recorded."""

    code = "file_too_large"

    def __init__(self) -> None:
        super().__init__("A file may have 10 MB at most. Send a smaller one.")


class LeaseLost(BotError):
    """Somebody else holds the conversation now; whatever was being done must not be committed."""

    code = "lease_lost"

    def __init__(self) -> None:
        super().__init__("Another worker holds this conversation.")


class TurnFailed(BotError):
    """The dialogue could not answer; nothing of the turn may be committed."""

    code = "turn_failed"


class OrderActionRefused(BotError):
    """What was asked for cannot be done with this order; nothing was changed.

    `reason` says why: an obstacle that the rules in bot/core/orders.py name, or not_yours, not_in_order, bad_address.
    """

    code = "order_action_refused"

    def __init__(self, reason: str) -> None:
        super().__init__("This cannot be done with this order any more. Ask the shop's team for help.")
        self.reason = reason


class KeyReused(BotError):
    """An idempotency key that was used before, for something else; nothing was changed."""

    code = "key_reused"

    def __init__(self) -> None:
        super().__init__("This key belongs to another event. Use a key of its own for each event.")


class InsufficientPoints(BotError):
    """More points than there are to spend; nothing was changed. `available` is how many there are (0 at least)."""

    code = "insufficient_points"

    def __init__(self, available: int) -> None:
        super().__init__(f"There are {available} points to spend. Choose a smaller reward.")
        self.available = available


class LedgerRefused(BotError):
    """What was asked for cannot be entered; nothing was changed. `reason` says why, in a stable word."""

    code = "ledger_refused"

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class VoucherRefused(BotError):
    """A voucher or coupon that cannot be used like this; nothing was changed. `reason` says why, in a stable word."""

    code = "voucher_refused"

    MESSAGES: ClassVar[dict[str, str]] = {
        "unknown": "There is no voucher with this code. Check it for typing errors.",
        "cancelled": "This voucher was cancelled.",
        "not_started": "This voucher is not valid yet.",
        "expired": "This voucher has expired.",
        "used_up": "This voucher has been used already.",
        "not_yours": "This voucher belongs to another customer.",
        "used_by_you": "This customer has used this voucher as often as it allows.",
        "below_minimum": "This voucher needs a higher total.",
        "not_stackable": "This voucher cannot be combined with another one. Use one of them.",
        "twice": "A voucher counts once on one total.",
        "nothing_left": "There is nothing left that this voucher could take off.",
        "not_reserved": "This voucher is not reserved for this checkout. Reserve it first.",
        "reservation_over": "The reservation of this voucher has ended. Reserve it again.",
        "redeemed": "This voucher is redeemed on this checkout already.",
        "in_use": "This voucher is used or reserved, and stays as it is.",
        "code_taken": "This code exists already, with other terms. Choose another code.",
        "bad_code": "A code has 3 to 24 letters and digits, and does not look like a voucher that we make ourselves.",
        "bad_request": "A checkout has a key of 1 to 200 characters and a total from 0 up.",
    }

    def __init__(self, reason: str) -> None:
        super().__init__(self.MESSAGES[reason])
        self.reason = reason


class StampsRefused(BotError):
    """Stamps that cannot be entered on a punch card; nothing was changed. `reason` says why, in a stable word."""

    code = "stamps_refused"

    MESSAGES: ClassVar[dict[str, str]] = {
        "unknown_card": "The shop has no such punch card. Its cards are in business.yml.",
        "units_out_of_range": "Stamps are entered from 1 to 100 at a time.",
        "bad_key": "A key is a text of 1 to 180 characters.",
    }

    def __init__(self, reason: str) -> None:
        super().__init__(self.MESSAGES[reason])
        self.reason = reason


class NoSuchDay(BotError):
    """A birthday on a day that no year has; nothing was changed."""

    code = "no_such_day"

    def __init__(self) -> None:
        super().__init__("There is no such day. Give a month from 1 to 12 and a day that it has.")


class ReferralRefused(BotError):
    """A friend's code that cannot be used by this customer. `reason` says why, in a stable word.

    Nothing was changed, except that the reasons same_address and same_name are kept with whoever tried, if the unit of
    work is committed in spite of this.
    """

    code = "referral_refused"

    MESSAGES: ClassVar[dict[str, str]] = {
        "no_program": "There is nothing to be had for bringing friends here.",
        "unknown_code": "I find nobody with this code. Check it for typing errors, or ask your friend for it again.",
        "oneself": "This is a code of your own: pass it on to friends, it is meant for them.",
        "each_other": "You brought the friend whose code this is; it does not count the other way round as well.",
        "already_referred": "A friend's code is noted with you already, and it counts once.",
        "not_new": "A friend's code is for a first order, and you have ordered before: so pass yours on instead.",
        "same_person": "A friend's code is noted with you already, and it counts once.",
        "same_address": "Codes are for friends in other households; this one seems to come from your own.",
        "same_name": "Codes are for friends in other households; this one seems to come from your own.",
        "cap": "Your friend has brought as many people as count in a year, so this code brings nothing just now.",
        "order_taken_back": "The first order with this code was cancelled or sent back, so it brings nothing any more.",
    }

    def __init__(self, reason: str) -> None:
        super().__init__(self.MESSAGES[reason])
        self.reason = reason


class GiftCardRefused(BotError):
    """A gift card that cannot be used like this; nothing was changed. `reason` says why, in a stable word.

    `available_minor` is what can be spent or refunded, where that was the reason.
    """

    code = "gift_card_refused"

    MESSAGES: ClassVar[dict[str, str]] = {
        "unknown": "There is no gift card with this code. Check it for typing errors.",
        "blocked": "This gift card is blocked. Ask the shop's team for help.",
        "expired": "This gift card has expired.",
        "currency": "This gift card is in another currency.",
        "insufficient": "There is less on this gift card. Pay the rest in another way.",
        "not_spent": "No more can be put back than was paid with the card for this order.",
        "bad_amount": "An amount is a whole number of the smallest unit, and above zero.",
        "bad_key": "A key is a text of 1 to 200 characters.",
    }

    def __init__(self, reason: str, available_minor: int | None = None) -> None:
        super().__init__(self.MESSAGES[reason])
        self.reason = reason
        self.available_minor = available_minor


class MergeRefused(BotError):
    """Two customers that cannot be joined, or parted; nothing was changed. `reason` says why, in a stable word."""

    code = "merge_refused"

    MESSAGES: ClassVar[dict[str, str]] = {
        "unknown": "There is no such merge. The list of proposals has the ids.",
        "oneself": "These are one customer already.",
        "erased": "This customer's data were erased; nothing of theirs is moved any more.",
        "dismissed": "This proposal was dismissed. Merge the two customers by name if they are one after all.",
        "undone": "This merge was undone. Merge the two customers by name if they are one after all.",
        "not_done": "This merge was never carried out.",
        "merged_on": "The customer who stayed was merged into another one since. Undo that merge first.",
    }

    def __init__(self, reason: str) -> None:
        super().__init__(self.MESSAGES[reason])
        self.reason = reason


class ErasureRefused(BotError):
    """Somebody's data are still needed; nothing was erased. `unfinished` says for what, as a part of a sentence."""

    code = "erasure_refused"

    def __init__(self, unfinished: str) -> None:
        super().__init__(f"Nothing was erased: {unfinished}. Try again when that is finished.")
        self.unfinished = unfinished


class NoteRefused(BotError):
    """A note or a tag that says nothing, or too much."""

    code = "bad_request"

    def __init__(self) -> None:
        super().__init__(
            "A note has 1 to 4,000 characters, a tag 1 to 40. Write something shorter, or something at all."
        )


class CustomerNotFound(BotError):
    """There is no such customer."""

    code = "not_found"

    def __init__(self) -> None:
        super().__init__("There is no such customer.")


class FeedbackRefused(BotError):
    """An answer that cannot be kept; nothing was changed. `reason` says why, in a stable word."""

    code = "feedback_refused"

    MESSAGES: ClassVar[dict[str, str]] = {
        "unknown": "There is no such question.",
        "bad_score": "Choose one of the scores on offer.",
        "no_answer": "Choose a score, or write a few words.",
        "over": "This question is not open any more.",
    }

    def __init__(self, reason: str) -> None:
        super().__init__(self.MESSAGES[reason])
        self.reason = reason


class ReportRefused(BotError):
    """What a shop reported cannot be; nothing was changed. `faults` are pairs: a field, and what is wrong with it."""

    code = "invalid"

    def __init__(self, faults: Iterable[tuple[str, str]]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(f"{field} {text}" for field, text in self.faults))


class ReportConflict(ReportRefused):
    """What a shop reported may be right by itself, but not after what is known; nothing was changed."""

    code = "conflict"


class ImportRefused(BotError):
    """A file that cannot be imported as it is, or not with this mapping: all that is wrong, in words."""

    code = "import_refused"

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))


class ImportDisturbed(BotError):
    """Somebody else has changed what a batch of an import is about; nothing of the batch was written."""

    code = "import_disturbed"

    def __init__(self) -> None:
        super().__init__("Something else is writing the same records. The same command goes on where this one ended.")


class ImportUnaccounted(BotError):
    """An import's account does not add up: a fault of this program."""

    code = "import_unaccounted"

    def __init__(self, accounted: int, rows: int) -> None:
        super().__init__(f"{accounted:,} rows are accounted for, and the file has {rows:,}. Please report this.")


class AgentRefused(BotError):
    """Somebody cannot work at the desk like this: what is wrong, in words."""

    code = "invalid"


class SignInRefused(BotError):
    """An address or a password is wrong, or the account is locked; which of them is not told."""

    code = "unauthorized"

    def __init__(self, locked_until: datetime | None = None) -> None:
        self.locked_until = locked_until
        later = (
            " Too many wrong passwords were tried: wait a while, or ask an admin for a new one." if locked_until else ""
        )
        super().__init__(f"The e-mail address or the password is wrong.{later}")


class StepRefused(BotError):
    """A conversation cannot be passed on like this, now: it stands elsewhere, or somebody else has it."""

    code = "conflict"

    def __init__(self, stage: str, message: str | None = None) -> None:
        self.reason = stage
        super().__init__(message or "Somebody was quicker, or the conversation has moved on. Look at it again.")


class DeskRefused(BotError):
    """Something at the desk that cannot be done like this; nothing was changed."""

    code = "invalid"
