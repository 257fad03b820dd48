"""What an import changes in what is known, and what it leaves alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.core.imports import Outcome, Tally, fingerprint, settle_values

VALUES = st.sampled_from([None, "", "a", "b", "c"])


def settle(theirs, ours, before=None, *, overwrite=False):
    marks = {"x": fingerprint(before)} if before is not None else {}
    settled = settle_values({"x": theirs}, {"x": ours}, marks, overwrite=overwrite)
    return settled.changes.get("x", ours), settled.kept


def test_what_is_empty_here_is_filled():
    assert settle("a", None) == ("a", 0)
    assert settle("a", "") == ("a", 0)


def test_an_empty_value_says_nothing():
    assert settle(None, "a", "a") == ("a", 0)


def test_what_is_new_in_the_file_is_taken_where_nothing_was_changed_here():
    assert settle("b", "a", before="a") == ("b", 0)


def test_what_was_changed_here_stays_where_the_file_says_what_it_always_said():
    assert settle("a", "b", before="a") == ("b", 1)


def test_what_was_emptied_here_stays_empty_where_the_file_says_what_it_always_said():
    assert settle("a", None, before="a") == (None, 1)


def test_what_was_changed_in_both_stays_as_it_is_here():
    assert settle("c", "b", before="a") == ("b", 1)


def test_what_no_import_has_written_stays():
    assert settle("a", "b") == ("b", 1)


def test_the_file_counts_more_where_that_is_asked_for():
    assert settle("a", "b", overwrite=True) == ("a", 0)
    assert settle("a", "b", before="a", overwrite=True) == ("a", 0)


@given(st.dictionaries(st.sampled_from("xyz"), VALUES), st.dictionaries(st.sampled_from("xyz"), VALUES), st.booleans())
def test_settling_twice_changes_nothing_more(theirs, ours, overwrite):
    first = settle_values(theirs, ours, {}, overwrite=overwrite)
    then = {**ours, **first.changes}

    second = settle_values(theirs, then, first.marks, overwrite=overwrite)

    assert second.changes == {}
    assert second.marks == first.marks
    assert second.kept == first.kept


def test_an_account_is_the_same_after_it_was_stored():
    tally = Tally()
    tally.count(Outcome.IMPORTED, 3)
    tally.records["orders added"] += 2

    again = Tally.from_dict(tally.as_dict())

    assert (again, again.rows) == (tally, 3)
