"""Who is helped next, and by whom."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.core.agents import AgentId
from bot.core.conversations import ConversationId
from bot.core.handoffs import Handoff, HandoffId, HandoffReason
from bot.core.waiting_line import LANGUAGE_WAITED_FOR, Helper, expected_wait, in_line, offers
from tests.builders import NOW

MINUTE = timedelta(minutes=1)


def waiting(name: str, minutes: float = 0, **changes) -> Handoff:
    since = NOW - minutes * MINUTE
    return Handoff(HandoffId(name), ConversationId(name), HandoffReason.ASKED, since, waiting_since=since, **changes)


def helper(name: str, load: int = 0, capacity: int = 3, free_minutes: float = 0, **changes) -> Helper:
    changes = {key: frozenset(value) for key, value in changes.items()}
    return Helper(AgentId(name), capacity, load, NOW - free_minutes * MINUTE, **changes)


def offered(line, helpers):
    return [(handoff.id, agent) for handoff, agent in offers(line, helpers, NOW)]


def test_first_come_first_served_but_for_what_is_urgent():
    line = [waiting("late", 1), waiting("early", 9), waiting("urgent", 0, priority=1)]

    assert [one.id for one in in_line(line)] == ["urgent", "early", "late"]


def test_the_least_busy_is_asked_and_of_those_the_one_who_was_free_for_longest():
    helpers = [helper("busy", load=2), helper("rested", free_minutes=9), helper("tired", free_minutes=1)]

    assert offered([waiting("a")], helpers) == [("a", "rested")]


def test_nobody_is_given_more_than_they_can_do():
    line = [waiting("a", 3), waiting("b", 2), waiting("c", 1)]

    assert offered(line, [helper("ana", load=1, capacity=3)]) == [("a", "ana"), ("b", "ana")]


def test_what_needs_somebody_who_knows_it_goes_to_them_and_holds_up_nobody():
    line = [waiting("coffee", 9, topic="coffee"), waiting("other", 1)]
    ben = helper("ben", load=3, skills={"coffee"})

    assert offered(line, [ben, helper("ana", skills={"returns"})]) == [("other", "ana")]


def test_where_nobody_is_there_who_knows_it_anybody_helps():
    assert offered([waiting("a", topic="coffee")], [helper("ana", skills={"returns"})]) == [("a", "ana")]


def test_whoever_speaks_the_language_is_asked_before_whoever_knows_the_topic():
    spanish = waiting("a", topic="returns", language="es")
    both = helper("both", load=2, skills={"returns"}, languages={"en", "es"})
    speaks = helper("speaks", load=1, skills={"coffee"}, languages={"es"})
    knows = helper("knows", skills={"returns"}, languages={"en"})

    assert offered([spanish], [knows, speaks, both]) == [("a", "both")]
    assert offered([spanish], [knows, speaks]) == [("a", "speaks")]
    assert offered([spanish], [knows, helper("neither", languages={"en"}, skills={"shop"})]) == [("a", "knows")]
    # Who has no languages named speaks all of them.
    assert offered([spanish], [knows, helper("all", load=2)]) == [("a", "all")]


def test_whoever_speaks_the_language_is_waited_for_but_not_for_long():
    busy = helper("busy", load=3, languages={"es"})
    free = helper("free", languages={"en"})
    wait = LANGUAGE_WAITED_FOR / MINUTE

    assert offered([waiting("a", wait - 1, language="es")], [busy, free]) == []
    assert offered([waiting("a", wait, language="es")], [busy, free]) == [("a", "free")]
    # Who has room by then is still the first to be asked.
    there = helper("there", load=2, languages={"es"})
    assert offered([waiting("a", wait, language="es")], [there, free]) == [("a", "there")]


def test_where_the_only_one_who_could_help_best_let_it_pass_somebody_else_is_asked():
    passed = {"passed_by": (AgentId("ben"),)}
    ben, ana = helper("ben", skills={"coffee"}, languages={"es"}), helper("ana", skills={"shop"}, languages={"en"})

    assert offered([waiting("a", topic="coffee", **passed)], [ben, ana]) == [("a", "ana")]
    assert offered([waiting("a", language="es", **passed)], [ben, ana]) == [("a", "ana")]
    # Unless nobody else has room.
    busy = helper("ana", load=3, skills={"shop"}, languages={"en"})
    assert offered([waiting("a", topic="coffee", language="es", **passed)], [ben, busy]) == [("a", "ben")]


def test_whoever_let_an_offer_pass_is_asked_again_only_if_nobody_else_is_there():
    passed = waiting("a", passed_by=(AgentId("ana"),))

    assert offered([passed], [helper("ana"), helper("ben", load=2)]) == [("a", "ben")]
    assert offered([passed], [helper("ana")]) == [("a", "ana")]


def test_the_person_whom_the_customer_knows_is_asked_first_for_a_while():
    known = {"wanted_agent_id": AgentId("ana")}
    helpers = [helper("ana", load=2), helper("ben")]

    assert offered([waiting("a", **known, wanted_until=NOW + MINUTE)], helpers) == [("a", "ana")]
    assert offered([waiting("a", **known, wanted_until=NOW)], helpers) == [("a", "ben")]
    # Not there, or did not want to.
    assert offered([waiting("a", **known, wanted_until=NOW + MINUTE)], helpers[1:]) == [("a", "ben")]
    passed = waiting("a", **known, wanted_until=NOW + MINUTE, passed_by=(AgentId("ana"),))
    assert offered([passed], helpers) == [("a", "ben")]
    # Nobody waits for somebody who has no room.
    full = [helper("ana", load=3), helper("ben", load=2)]
    assert offered([waiting("a", **known, wanted_until=NOW + MINUTE)], full) == [("a", "ben")]


def test_what_is_on_offer_already_is_not_offered_to_a_second_one():
    on_offer = {"offered_to": AgentId("ana"), "offered_until": NOW + MINUTE}

    assert offered([waiting("a", **on_offer)], [helper("ana", load=1), helper("ben")]) == []
    # Unless whoever it was offered to has gone.
    assert offered([waiting("a", **on_offer)], [helper("ben")]) == [("a", "ben")]


def test_how_long_it_takes_is_told_from_how_it_went_or_not_at_all():
    claims = [NOW - minutes * MINUTE for minutes in (7, 5, 3, 1)]

    early = NOW - 60 * MINUTE
    assert expected_wait(3, claims, early, NOW, 60 * MINUTE) == 6 * MINUTE
    assert expected_wait(1, claims[:2], early, NOW, 60 * MINUTE) is None
    # It has stood still for longer than usual.
    assert expected_wait(1, claims, early, NOW + 9 * MINUTE, 60 * MINUTE) == 10 * MINUTE
    # Nobody was in it for most of that.
    assert expected_wait(1, claims, NOW + 6 * MINUTE, NOW + 9 * MINUTE, 60 * MINUTE) == 3 * MINUTE


_TOPICS, _LANGUAGES = st.sampled_from([None, "a", "b"]), st.sampled_from([None, "x", "y"])


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 2), _TOPICS, _LANGUAGES), max_size=9),
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(1, 3), st.sets(st.sampled_from("ab")), st.sets(st.sampled_from("xy"))),
        max_size=4,
    ),
)
def test_nobody_waits_while_somebody_has_room_and_nobody_gets_two(line, helpers):
    handoffs = [
        waiting(str(n), minutes, priority=priority, topic=topic, language=language)
        for n, (minutes, priority, topic, language) in enumerate(line)
    ]
    people = [
        helper(f"h{n}", load, capacity, skills=skills, languages=languages)
        for n, (load, capacity, skills, languages) in enumerate(helpers)
    ]

    found = offers(handoffs, people, NOW)

    given_to = [agent for _, agent in found]
    assert len({handoff.id for handoff, _ in found}) == len(found)
    for person in people:
        assert person.load + given_to.count(person.id) <= max(person.capacity, person.load)
    left = [one for one in handoffs if one not in [handoff for handoff, _ in found]]
    for person in people:
        if person.load + given_to.count(person.id) < person.capacity:
            assert not [one for one in left if person.suits(one)]
            waited = [one for one in left if now_or_never(one)]
            assert not [one for one in waited if person.knows(one)]


def now_or_never(handoff: Handoff) -> bool:
    """Whether they have waited for somebody of their language for long enough."""
    return NOW - handoff.waiting_since >= LANGUAGE_WAITED_FOR
