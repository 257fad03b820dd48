"""The audit log says what was done, and nothing about the person."""

from bot.core.audit import REDACTED, changes, redact


def test_personal_values_are_taken_out_and_their_names_stay():
    detail = {
        "order": "TC-10002",
        "points": 50,
        "email": {"before": "maria@example.com", "after": None},
        "reason": "write to maria@example.com",
        "fields": ["maria@example.com", "phone"],
        "kept": {"name": "Maria", "orders": 2},
    }

    assert redact(detail) == {
        "order": "TC-10002",
        "points": 50,
        "email": {"before": REDACTED, "after": None},
        "reason": REDACTED,
        "fields": [REDACTED, "phone"],
        "kept": {"name": REDACTED, "orders": 2},
    }


def test_a_change_is_what_differs():
    assert changes({"name": "Maria", "source": None}, {"name": "Mia", "source": None, "tag": "vip"}) == {
        "name": {"before": "Maria", "after": "Mia"},
        "tag": {"before": None, "after": "vip"},
    }
