"""Which of two records stays, and what it takes over."""

from datetime import timedelta

from bot.core.merges import filled_fields, kept_first, restored_fields
from tests.builders import NOW, a_customer


def test_the_record_that_was_there_first_stays():
    old, new = a_customer(created_at=NOW - timedelta(days=1)), a_customer()

    assert kept_first(old, new) == kept_first(new, old) == (old, new)


def test_only_what_is_missing_is_taken_over_and_a_birthday_whole():
    kept = a_customer(email="maria@example.com", birthday_month=3, birthday_day=4)
    merged = a_customer(phone="+639171234567", address="7 Mango Avenue", birthday_month=2, birthday_day=29)

    assert filled_fields(kept, merged) == {"phone": "+639171234567", "address": "7 Mango Avenue"}
    assert filled_fields(a_customer(), merged) == {
        **{"phone": "+639171234567", "address": "7 Mango Avenue"},
        **{"birthday_month": 2, "birthday_day": 29},
    }


def test_what_was_changed_since_stays():
    kept = a_customer(phone="+639171234567", address="9 New Street")

    assert restored_fields(kept, {"phone": "+639171234567", "address": "7 Mango Avenue"}) == {"phone": None}
