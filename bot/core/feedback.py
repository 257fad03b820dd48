"""What customers are asked, what their scores mean, and when a person may be asked at all."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import Enum
from typing import NewType

from bot.core.conversations import ConversationId
from bot.core.customers import CustomerId

FeedbackId = NewType("FeedbackId", str)

MAX_FEEDBACK_CHARACTERS = 2_000
# So long a score can be put right; after that the answer stands.
CHANGE_WINDOW = timedelta(hours=1)
# Somebody who complained or gave a low score is left alone for so long.
UNHAPPY_FOR = timedelta(days=7)
# Angry words count for so long.
ANGRY_FOR = timedelta(days=1)
# What nobody has closed by then is not what the person is waiting for any more.
OPEN_TROUBLE_FOR = timedelta(days=30)
# Whoever wrote a review is not asked for, and earns nothing by, another one for so long.
BETWEEN_REVIEWS = timedelta(days=90)
# An order that could not be asked about for so long is not asked about any more.
ORDER_ASKED_WITHIN = timedelta(days=7)


class FeedbackKind(str, Enum):
    """What somebody said, or is asked for."""

    CSAT = "csat"  # customer satisfaction: how happy with a conversation or an order
    NPS = "nps"  # net promoter score: would they recommend the shop
    CES = "ces"  # customer effort score: how easy it was
    REVIEW = "review"  # stars, with a few words
    COMPLAINT = "complaint"
    COMMENT = "comment"


class Survey(str, Enum):
    """What the shop may ask of its own accord: the first three after a conversation, the last by e-mail."""

    CSAT = "csat"
    CES = "ces"
    NPS = "nps"
    ORDER = "order"


class Invitation(str, Enum):
    """What somebody who is very happy is asked for."""

    REVIEW = "review"
    REFERRAL = "referral"


@dataclass(frozen=True)
class Scale:
    """The scores of a question. `low` and below calls for a person; `promoter` and above is very happy."""

    least: int
    most: int
    least_means: str
    most_means: str
    low: int
    promoter: int | None = None

    @property
    def scores(self) -> range:
        """Every score there is, the lowest first."""
        return range(self.least, self.most + 1)

    def label(self, score: int) -> str:
        """A score as it is offered: its number, and at the ends what it means."""
        meaning = {self.least: self.least_means, self.most: self.most_means}.get(score)
        return f"{score} – {meaning}" if meaning else str(score)


SCALES: Mapping[FeedbackKind, Scale] = {
    FeedbackKind.CSAT: Scale(1, 5, "very unhappy", "very happy", low=2, promoter=5),
    FeedbackKind.NPS: Scale(0, 10, "not at all likely", "very likely", low=6, promoter=9),
    FeedbackKind.CES: Scale(1, 7, "very hard", "very easy", low=3),
    FeedbackKind.REVIEW: Scale(1, 5, "very poor", "excellent", low=2, promoter=5),
}


def is_score(kind: FeedbackKind, score: int) -> bool:
    """Whether this kind of feedback has a scale, and the score is on it."""
    scale = SCALES.get(kind)
    return scale is not None and score in scale.scores


def is_low(kind: FeedbackKind, score: int | None) -> bool:
    """Whether a person should see to a score like this."""
    scale = SCALES.get(kind)
    return scale is not None and score is not None and score <= scale.low


def is_promoter(kind: FeedbackKind, score: int | None) -> bool:
    """Whether somebody who gives a score like this would speak well of the shop."""
    scale = SCALES.get(kind)
    if scale is None or scale.promoter is None or score is None:
        return False
    return score >= scale.promoter


@dataclass(frozen=True)
class Feedback:
    """Something asked, answered, or said without being asked. `key` names what it is about: it is asked once.

    `request_number` is the request to the shop's people that it came with or led to.
    """

    id: FeedbackId
    kind: FeedbackKind
    key: str
    customer_id: CustomerId | None = None
    conversation_id: ConversationId | None = None
    order_number: str | None = None
    asked_at: datetime | None = None
    answered_at: datetime | None = None
    declined_at: datetime | None = None
    score: int | None = None
    text: str | None = None
    request_number: str | None = None

    @property
    def is_low(self) -> bool:
        """Whether a person should see to it because of its score."""
        return is_low(self.kind, self.score)

    @property
    def is_promoter(self) -> bool:
        """Whether it comes from somebody who would speak well of the shop."""
        return is_promoter(self.kind, self.score)

    def may_change(self, at: datetime) -> bool:
        """Whether the score may be given, or put right, at that moment."""
        return self.answered_at is None or at < self.answered_at + CHANGE_WINDOW


@dataclass(frozen=True)
class Question:
    """A question as it is shown: its words, and the scores to choose from."""

    feedback_id: FeedbackId
    kind: FeedbackKind
    text: str

    @property
    def scale(self) -> Scale:
        """The scores, and what the lowest and the highest mean."""
        return SCALES[self.kind]


def question_of(feedback: Feedback, shop_name: str) -> Question:
    """What was, or is, asked with it."""
    return Question(feedback.id, feedback.kind, question_text(feedback.kind, shop_name, feedback.order_number))


def question_text(kind: FeedbackKind, shop_name: str, order_number: str | None = None) -> str:
    """The words of a question."""
    match kind:
        case FeedbackKind.CSAT if order_number:
            return f"How happy are you with your order {order_number}?"
        case FeedbackKind.CSAT:
            return "How happy are you with the help you got just now?"
        case FeedbackKind.NPS:
            return f"How likely are you to recommend {shop_name} to a friend?"
        case FeedbackKind.CES:
            return "How easy was it to get done what you came for?"
        case FeedbackKind.REVIEW if order_number:
            return f"How many stars do you give your order {order_number}?"
        case FeedbackKind.REVIEW:
            return f"How many stars do you give {shop_name}?"
    return f"What would you like to tell {shop_name}?"


# When somebody may be asked


@dataclass(frozen=True)
class FeedbackPolicy:
    """What the shop has decided about asking. `themes` are its own words for what feedback is about, by theme."""

    surveys: frozenset[Survey] = frozenset()
    days_after_delivery: int = 3
    days_between_questions: int = 30
    themes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Standing:
    """How somebody stands with the shop, as far as asking them something depends on it.

    `unhappy_at` is their latest complaint or low score; `has_open_trouble` says that they wait for a person, who may
    still be dealing with a complaint or a problem.
    """

    is_erased: bool = False
    has_withdrawn: bool = False
    asked_at: datetime | None = None
    unhappy_at: datetime | None = None
    has_open_trouble: bool = False
    is_angry: bool = False


class WhyNot(str, Enum):
    """Why somebody is not asked."""

    SURVEY_OFF = "survey_off"
    ERASED = "erased"
    WITHDRAWN = "withdrawn"
    OPEN_TROUBLE = "open_trouble"
    UNHAPPY = "unhappy"
    ANGRY = "angry"
    ASKED_LATELY = "asked_lately"


def why_not_to_ask(survey: Survey, standing: Standing, policy: FeedbackPolicy, now: datetime) -> WhyNot | None:
    """What stands in the way of asking; None when nothing does. That a thing is asked about once, its key sees to."""
    if survey not in policy.surveys:
        return WhyNot.SURVEY_OFF
    if standing.is_erased:
        return WhyNot.ERASED
    if standing.has_withdrawn:
        return WhyNot.WITHDRAWN
    if standing.has_open_trouble:
        return WhyNot.OPEN_TROUBLE
    if standing.unhappy_at is not None and now < standing.unhappy_at + UNHAPPY_FOR:
        return WhyNot.UNHAPPY
    if standing.is_angry:
        return WhyNot.ANGRY
    if standing.asked_at is not None and now < standing.asked_at + timedelta(days=policy.days_between_questions):
        return WhyNot.ASKED_LATELY
    return None


def asked_about_deliveries(policy: FeedbackPolicy, now: datetime) -> tuple[datetime, datetime]:
    """Orders that were delivered between these moments (the second included) are asked about now."""
    latest = now - timedelta(days=policy.days_after_delivery)
    return latest - ORDER_ASKED_WITHIN, latest


def survey_to_ask(times_asked: Mapping[Survey, int], offered: Collection[Survey]) -> Survey | None:
    """Which of the surveys on offer comes next for somebody: the one they were asked least often, so they alternate."""
    in_turn = [one for one in (Survey.CSAT, Survey.NPS, Survey.CES) if one in offered]
    return min(in_turn, key=lambda one: times_asked.get(one, 0), default=None)


def conversation_key(kind: FeedbackKind, conversation_id: ConversationId, number: int) -> str:
    """What the so-many-eth question of a kind in a conversation is about."""
    return f"{kind.value}:{conversation_id}:{number}"


def order_key(order_number: str) -> str:
    """What the question about an order is about."""
    return f"{FeedbackKind.CSAT.value}:order:{order_number}"


def quarter_key(customer_id: CustomerId, day: date) -> str:
    """What the question whether somebody recommends the shop is about: it is asked once in a quarter of a year."""
    return f"{FeedbackKind.NPS.value}:{customer_id}:{day.year}-q{(day.month + 2) // 3}"


def request_key(request_number: str) -> str:
    """What feedback that came as a request to the shop's people is about."""
    return f"request:{request_number}"
