"""Which scores are low, and when somebody may be asked."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.feedback import (
    CHANGE_WINDOW,
    SCALES,
    UNHAPPY_FOR,
    Feedback,
    FeedbackId,
    FeedbackKind,
    FeedbackPolicy,
    Standing,
    Survey,
    WhyNot,
    asked_about_deliveries,
    is_low,
    is_promoter,
    is_score,
    order_key,
    quarter_key,
    question_text,
    survey_to_ask,
    why_not_to_ask,
)
from tests.builders import NOW

EVERYTHING = FeedbackPolicy(surveys=frozenset(Survey), days_between_questions=30)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("kind", "low", "promoters", "scores"),
    [
        ("csat", {1, 2}, {5}, set(range(1, 6))),
        ("review", {1, 2}, {5}, set(range(1, 6))),
        ("nps", set(range(7)), {9, 10}, set(range(11))),
        ("ces", {1, 2, 3}, set(), set(range(1, 8))),
        ("complaint", set(), set(), set()),
        ("comment", set(), set(), set()),
    ],
)
def test_the_scale_of_each_kind(kind, low, promoters, scores):
    kind = FeedbackKind(kind)
    tried = range(-5, 20)

    assert {score for score in tried if is_score(kind, score)} == scores
    assert {score for score in tried if score in scores and is_low(kind, score)} == low
    assert {score for score in tried if score in scores and is_promoter(kind, score)} == promoters


def test_no_score_is_neither_low_nor_high():
    for kind in FeedbackKind:
        assert not is_low(kind, None)
        assert not is_promoter(kind, None)


def test_the_ends_of_a_scale_are_put_into_words():
    scale = SCALES[FeedbackKind.CES]

    assert [scale.label(score) for score in scale.scores] == [
        *("1 – very hard", "2", "3", "4", "5", "6", "7 – very easy"),
    ]


def test_every_kind_has_words_to_ask_for_it():
    for kind in FeedbackKind:
        for order in (None, "TC-10001"):
            text = question_text(kind, "Corner Shop", order)
            assert text.endswith("?")
            assert "{" not in text
    assert "TC-10001" in question_text(FeedbackKind.CSAT, "Corner Shop", "TC-10001")
    assert "Corner Shop" in question_text(FeedbackKind.NPS, "Corner Shop")


def test_somebody_of_whom_nothing_speaks_against_it_is_asked():
    assert why_not_to_ask(Survey.CSAT, Standing(), EVERYTHING, NOW) is None


@pytest.mark.parametrize(
    ("standing", "reason"),
    [
        (Standing(is_erased=True), WhyNot.ERASED),
        (Standing(has_withdrawn=True), WhyNot.WITHDRAWN),
        (Standing(has_open_trouble=True), WhyNot.OPEN_TROUBLE),
        (Standing(unhappy_at=NOW), WhyNot.UNHAPPY),
        (Standing(is_angry=True), WhyNot.ANGRY),
        (Standing(asked_at=NOW), WhyNot.ASKED_LATELY),
    ],
)
def test_each_thing_that_speaks_against_it_is_enough(standing, reason):
    for survey in Survey:
        assert why_not_to_ask(survey, standing, EVERYTHING, NOW) is reason


def test_a_survey_that_is_off_is_never_asked():
    policy = replace(EVERYTHING, surveys=frozenset({Survey.NPS}))

    assert why_not_to_ask(Survey.CSAT, Standing(), policy, NOW) is WhyNot.SURVEY_OFF
    assert why_not_to_ask(Survey.NPS, Standing(), policy, NOW) is None
    assert {why_not_to_ask(one, Standing(), FeedbackPolicy(), NOW) for one in Survey} == {WhyNot.SURVEY_OFF}


@given(st.integers(0, 365), st.timedeltas(timedelta(0), 400 * DAY))
def test_nobody_is_asked_twice_within_the_shop_s_number_of_days(days, since):
    policy = replace(EVERYTHING, days_between_questions=days)

    reason = why_not_to_ask(Survey.CSAT, Standing(asked_at=NOW - since), policy, NOW)

    assert (reason is None) == (since >= days * DAY)


@given(st.timedeltas(timedelta(0), 30 * DAY))
def test_who_was_let_down_is_left_in_peace_for_a_week(since):
    reason = why_not_to_ask(Survey.CSAT, Standing(unhappy_at=NOW - since), EVERYTHING, NOW)

    assert (reason is None) == (since >= UNHAPPY_FOR)


def test_an_order_is_asked_about_from_its_day_on_and_for_a_week():
    first, last = asked_about_deliveries(FeedbackPolicy(days_after_delivery=3), NOW)

    assert last == NOW - 3 * DAY
    assert first == NOW - 10 * DAY


def test_surveys_alternate():
    offered = frozenset({Survey.CSAT, Survey.NPS, Survey.CES, Survey.ORDER})
    times = dict.fromkeys(offered, 0)
    asked = []
    for _ in range(6):
        survey = survey_to_ask(times, offered)
        asked.append(survey)
        times[survey] += 1

    assert asked == [Survey.CSAT, Survey.NPS, Survey.CES] * 2
    assert survey_to_ask({Survey.CSAT: 5}, {Survey.CSAT}) is Survey.CSAT
    assert survey_to_ask({}, {Survey.ORDER}) is None
    assert survey_to_ask({}, set()) is None


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_a_quarter_is_three_months(day):
    months = [month for month in range(1, 13) if quarter_key("c", date(day.year, month, 1)) == quarter_key("c", day)]

    assert len(months) == 3
    assert day.month in months
    assert quarter_key("c", day) != quarter_key("d", day)
    assert quarter_key("c", day.replace(day=1)) != quarter_key("c", day.replace(year=day.year + 1, day=1))


def test_the_longest_keys_fit():
    assert len(order_key("A" * 32)) <= 200


def test_a_score_can_be_changed_for_an_hour():
    answered = Feedback(FeedbackId("1"), FeedbackKind.CSAT, "k", asked_at=NOW - DAY, answered_at=NOW, score=1)

    assert answered.may_change(NOW + CHANGE_WINDOW - timedelta(microseconds=1))
    assert not answered.may_change(NOW + CHANGE_WINDOW)
    assert replace(answered, answered_at=None).may_change(NOW + 100 * DAY)
