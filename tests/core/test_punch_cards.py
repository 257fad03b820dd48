"""Which units of an order are stamped, and which stamps are taken back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.core.customers import CustomerId
from bot.core.loyalty import Effect, Offer, PunchCard
from bot.core.orders import OrderLine, OrderStatus
from bot.core.punch_cards import MAX_UNITS_PER_ORDER, StampId, StampKind, stamp_changes, units_kept
from bot.core.returns import ReturnStatus
from tests.builders import a_refund, a_return, an_order
from tests.fakes import MONDAY_MORNING as NOW

COFFEE = PunchCard(
    "coffee", "Coffee card", ("LATTE", "ESPRESSO*"), 9, Offer("free-coffee", "A coffee", Effect(item="X"))
)
LATTE = OrderLine("LATTE", "Latte", 3, 400)
CAKE = OrderLine("CAKE", "Cake", 1, 500)


def paid(*lines, **changes):
    total = sum(line.quantity * line.unit_price_minor for line in lines)
    return an_order(
        **{
            "customer_id": CustomerId("maria"),
            "status": OrderStatus.PAID,
            "lines": lines,
            "total_minor": total,
            **changes,
        }
    )


def keys(order, *, kept=None, cards=(COFFEE,), known=()):
    kept = units_kept(order, [], []) if kept is None else kept
    return [entry.key for entry in stamp_changes(order, kept, cards, known, NOW)]


def written(entries, known=()):
    """The entries as they are known once they are in the database."""
    return [*known, *(replace(entry, id=StampId(len(known) + n)) for n, entry in enumerate(entries, 1))]


def test_each_unit_of_the_cards_products_is_a_stamp_of_its_own():
    order = paid(CAKE, LATTE, OrderLine("ESPRESSO-DOUBLE", "Espresso", 1, 300))

    assert keys(order) == [
        "order:TC-10002:coffee:1:2:1:LATTE",
        "order:TC-10002:coffee:1:2:2:LATTE",
        "order:TC-10002:coffee:1:2:3:LATTE",
        "order:TC-10002:coffee:1:3:1:ESPRESSO-DOUBLE",
    ]


def test_one_unit_is_stamped_on_every_card_that_it_belongs_to():
    sweet = replace(COFFEE, id="sweet", products=("CAKE", "LATTE"))

    assert keys(paid(replace(LATTE, quantity=1)), cards=(COFFEE, sweet)) == [
        "order:TC-10002:coffee:1:1:1:LATTE",
        "order:TC-10002:sweet:1:1:1:LATTE",
    ]


def test_the_free_item_earns_no_stamp():
    free = replace(LATTE, quantity=1, unit_price_minor=0)

    assert keys(paid(free, LATTE)) == [f"order:TC-10002:coffee:1:2:{unit}:LATTE" for unit in (1, 2, 3)]
    assert keys(paid(free)) == []


@pytest.mark.parametrize(
    "status", [OrderStatus.PENDING, OrderStatus.CANCELLED, OrderStatus.RETURNED, OrderStatus.REFUNDED]
)
def test_what_is_not_paid_or_was_given_back_stamps_nothing(status):
    assert keys(paid(LATTE, status=status)) == []


def test_an_order_of_nobody_stamps_nothing():
    assert keys(paid(LATTE, customer_id=None)) == []


def test_a_typing_error_in_a_quantity_does_not_fill_the_database():
    order = paid(replace(LATTE, quantity=MAX_UNITS_PER_ORDER - 1), replace(LATTE, quantity=2_000_000_000))

    assert len(keys(order)) == MAX_UNITS_PER_ORDER


def test_what_is_stamped_already_is_not_stamped_again():
    order = paid(LATTE)
    first = stamp_changes(paid(replace(LATTE, quantity=1)), {1: 1}, [COFFEE], [], NOW)

    assert keys(order, known=written(first)) == [
        "order:TC-10002:coffee:1:1:2:LATTE",
        "order:TC-10002:coffee:1:1:3:LATTE",
    ]
    everything = written(stamp_changes(order, {1: 3}, [COFFEE], [], NOW))
    assert keys(order, known=everything) == []


def test_what_came_back_is_taken_back_once_the_last_units_first():
    order = paid(LATTE)
    known = written(stamp_changes(order, {1: 3}, [COFFEE], [], NOW))

    back = stamp_changes(order, {1: 1}, [COFFEE], known, NOW)

    assert [(entry.kind, entry.stamps, entry.reverses_id) for entry in back] == [
        (StampKind.REFUND, -1, known[1].id),
        (StampKind.REFUND, -1, known[2].id),
    ]
    assert stamp_changes(order, {1: 1}, [COFFEE], written(back, known), NOW) == []


def test_an_order_that_is_good_again_after_all_is_stamped_anew():
    order, cancelled = paid(replace(LATTE, quantity=1)), {}
    known = written(stamp_changes(order, {1: 1}, [COFFEE], [], NOW))
    for time in (2, 3):
        known = written(stamp_changes(order, cancelled, [COFFEE], known, NOW), known)
        again = stamp_changes(order, {1: 1}, [COFFEE], known, NOW)
        assert [entry.key for entry in again] == [f"order:TC-10002:coffee:{time}:1:1:LATTE"]
        known = written(again, known)

    assert sum(entry.stamps for entry in known) == 1


def test_a_change_of_the_rules_takes_no_stamps_away():
    order = paid(LATTE)
    known = written(stamp_changes(order, {1: 3}, [COFFEE], [], NOW))

    assert keys(order, cards=(), known=known) == []
    assert keys(order, cards=(replace(COFFEE, products=("TEA",)),), known=known) == []


def test_an_order_that_holds_something_else_now_has_other_stamps():
    tea = replace(COFFEE, id="tea", products=("TEA",))
    cards = (COFFEE, tea)
    known = written(stamp_changes(paid(LATTE, CAKE), {1: 3, 2: 1}, cards, [], NOW))
    changed = paid(replace(LATTE, sku="TEA"), replace(LATTE, quantity=1))

    changes = stamp_changes(changed, {1: 3, 2: 1}, cards, known, NOW)

    assert sum(entry.stamps for entry in changes if entry.card == "coffee") == -2
    assert sum(entry.stamps for entry in changes if entry.card == "tea") == 3
    assert stamp_changes(changed, {1: 3, 2: 1}, cards, written(changes, known), NOW) == []


def test_a_stamp_given_by_hand_is_no_business_of_an_order():
    by_hand = replace(
        written(stamp_changes(paid(LATTE), {1: 1}, [COFFEE], [], NOW))[0], key="hand:TC-10002", source="TC-10002"
    )

    assert keys(paid(LATTE, status=OrderStatus.CANCELLED), known=[by_hand]) == []


def test_a_return_gives_its_units_back_once_its_money_is_owed():
    order = paid(LATTE, CAKE)
    sent_back = a_return(order, lines=(replace(LATTE, quantity=2),))
    owed = a_refund(amount_minor=800, return_number=sent_back.number)

    assert units_kept(order, [], [sent_back]) == {1: 3, 2: 1}
    assert units_kept(order, [owed], [sent_back]) == {1: 1, 2: 1}
    assert units_kept(order, [], [replace(sent_back, status=ReturnStatus.REFUNDED)]) == {1: 1, 2: 1}
    assert units_kept(order, [], [replace(sent_back, status=ReturnStatus.REFUSED)]) == {1: 3, 2: 1}


def test_of_an_order_that_came_back_only_what_its_return_names_was_given_back():
    order = paid(LATTE, CAKE, status=OrderStatus.RETURNED)
    sent_back = a_return(order, lines=(LATTE,))

    assert units_kept(order, [], [sent_back]) == {}
    assert units_kept(order, [], [replace(sent_back, status=ReturnStatus.REFUNDED)]) == {1: 0, 2: 1}


def test_a_return_of_more_than_one_line_has_takes_the_rest_from_the_next():
    order = paid(LATTE, LATTE, CAKE)
    sent_back = a_return(order, lines=(replace(LATTE, quantity=5),), status=ReturnStatus.REFUNDED)

    assert units_kept(order, [], [sent_back]) == {1: 0, 2: 1, 3: 1}


def test_money_back_for_a_problem_keeps_the_stamps_unless_it_is_all():
    order = paid(LATTE)

    assert units_kept(order, [a_refund(amount_minor=1_199)], []) == {1: 3}
    assert units_kept(order, [a_refund(amount_minor=1_000), a_refund(amount_minor=200)], []) == {}


def test_what_cost_nothing_stamps_nothing():
    assert units_kept(paid(LATTE, total_minor=0), [], []) == {}
