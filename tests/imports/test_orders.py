"""Orders from files: lines put together, credit notes, customers made known, and every reason to reject a row."""

from __future__ import annotations

from datetime import date, datetime, timezone

import pytest

from bot.core.import_orders import MAX_ROWS_OF_AN_ORDER
from bot.core.imports import Note
from bot.services.privacy import erase_customer
from tests.builders import a_shop, stored_customer, stored_order
from tests.fakes import MONDAY_MORNING as NOW
from tests.imports.importing import ORDER_LINES, outcomes, reasons

BEGINS_WITH_C = """
columns: {number: order, placed_at: date, customer: customer, sku: sku, title: title, quantity: qty, unit_price: price}
credit_note: {column: order, begins: C}
"""


async def test_rows_of_one_number_are_one_order(importing):
    report = await importing.order_lines(
        "1001,2025-12-01 10:00,C-1,MUG,Mug,2,4.50",
        "1001,2025-12-01 10:00,C-1,BEAN,Beans,1,12.00",
        "1002,2025-12-02T09:30:00Z,C-2,MUG,Mug,1,4.50",
    )

    assert outcomes(report) == {"imported": 3}
    assert await importing.all("orders", "number", "total_minor", "status", "currency") == [
        ("1001", 2100, "delivered", "USD"),
        ("1002", 450, "delivered", "USD"),
    ]
    assert await importing.all("order_lines", "order_number", "position", "sku", "quantity", "unit_price_minor") == [
        ("1001", 1, "MUG", 2, 450),
        ("1001", 2, "BEAN", 1, 1200),
        ("1002", 1, "MUG", 1, 450),
    ]
    # The shop is in Manila, eight hours ahead; what says its own time zone keeps it.
    moments = [datetime(2025, 12, 1, 2, 0, tzinfo=timezone.utc), datetime(2025, 12, 2, 9, 30, tzinfo=timezone.utc)]
    assert await importing.all("orders", "placed_at", "paid_at") == [(moment, moment) for moment in moments]


async def test_rows_of_one_order_need_not_be_next_to_each_other(importing):
    report = await importing.order_lines(
        "1001,2025-12-01,C-1,MUG,Mug,2,4.50",
        "1002,2025-12-01,C-2,MUG,Mug,1,4.50",
        "1001,2025-12-01,C-1,BEAN,Beans,1,12.00",
        "1003,2025-12-01,C-2,MUG,Mug,1,4.50",
        "1001,2025-12-01,C-1,TEA,Tea,1,3.00",
        batch_rows=1,
    )

    assert outcomes(report) == {"imported": 5}
    assert report.tally.notes[Note.APART.value] == 1
    assert await importing.all("orders", "number", "total_minor") == [("1001", 2400), ("1002", 450), ("1003", 450)]
    assert await importing.all("order_lines", "order_number", "position", "sku") == [
        *(("1001", 1, "MUG"), ("1001", 2, "BEAN"), ("1001", 3, "TEA")),
        *(("1002", 1, "MUG"), ("1003", 1, "MUG")),
    ]


async def test_customers_who_were_not_known_are_made_known_once_and_since_their_first_order(importing):
    await importing.order_lines(
        "1001,2025-12-03,C-1,MUG,Mug,1,4.50",
        "1002,2025-11-02,C-1,MUG,Mug,1,4.50",
        "1003,2025-12-04,C-1,MUG,Mug,1,4.50",
        "1004,2025-12-04,,MUG,Mug,1,4.50",
        batch_rows=1,
    )

    ((customer_id, since),) = await importing.all("customers", "id", "created_at")
    assert since == datetime(2025, 11, 1, 16, 0, tzinfo=timezone.utc)
    assert await importing.all("customers", "external_id", "source") == [("C-1", "import")]
    assert await importing.all("orders", "number", "customer_id") == [
        *(("1001", customer_id), ("1002", customer_id), ("1003", customer_id), ("1004", None)),
    ]


async def test_an_order_belongs_to_the_customer_with_its_email_where_it_gives_no_number(importing):
    maria = await stored_customer(importing.db, email="maria@example.com", external_id="C-1")

    report = await importing.orders(
        "Order ID,Order Date,Email,Total",
        "1001,2025-12-01,Maria@Example.com,20.00",
        "1002,2025-12-01,ben@example.com,10.00",
        "1003,2025-12-02,ben@example.com,10.00",
    )

    assert outcomes(report) == {"imported": 3}
    assert report.tally.records["customers added"] == 1
    assert (await importing.all("orders", "number", "customer_id"))[0] == ("1001", maria.id)
    ((ben, number),) = [
        (one, number)
        for one, number, email in await importing.all("customers", "id", "external_id", "email")
        if email == "ben@example.com"
    ]
    assert number == f"import:{ben}"
    assert (await importing.all("orders", "number", "customer_id"))[1:] == [("1002", ben), ("1003", ben)]


async def test_an_imported_customer_without_a_number_gets_it_when_an_order_tells_it(importing):
    columns = ("number=order", "placed_at=date", "customer=customer", "email=email", "total=total")

    report = await importing.orders(
        "order,date,customer,email,total",
        "1001,2025-12-01,,ben@example.com,10.00",
        "1002,2025-12-02,C-7,ben@example.com,10.00",
        columns=columns,
    )

    assert report.tally.records["customers added"] == 1
    assert await importing.all("customers", "external_id", "email") == [("C-7", "ben@example.com")]


async def test_an_order_of_somebody_who_was_merged_goes_to_whom_they_were_merged_into(importing):
    kept = await stored_customer(importing.db, external_id="C-1")
    await stored_customer(importing.db, external_id="C-2", merged_into_id=kept.id)

    await importing.order_lines("1001,2025-12-01,C-2,MUG,Mug,1,4.50")

    assert await importing.all("orders", "customer_id") == [kept.id]


async def test_credit_notes_are_recognised_as_the_mapping_says(importing):
    report = await importing.orders(
        ORDER_LINES,
        "1001,2025-12-01,C-1,MUG,Mug,2,4.50",
        "C1002,2025-12-05,C-1,MUG,Mug,-1,4.50",
        "C1002,2025-12-05,C-1,TEA,Tea,-2,3.00",
        "c1003,2025-12-06,,TEA,Tea,-1,3.00",
        mapping_file=importing.mapping(BEGINS_WITH_C),
    )

    assert outcomes(report) == {"imported": 4}
    assert await importing.all("orders", "number", "total_minor") == [("1001", 900)]
    (customer,) = await importing.all("customers", "id")
    assert await importing.all("credit_notes", "number", "total_minor", "currency", "customer_id") == [
        ("C1002", 1050, "USD", customer),
        ("C1003", 300, "USD", None),
    ]
    assert await importing.all("credit_note_lines", "credit_note_number", "position", "sku", "quantity") == [
        *(("C1002", 1, "MUG", 1), ("C1002", 2, "TEA", 2), ("C1003", 1, "TEA", 1)),
    ]


async def test_a_credit_note_can_be_told_by_a_number_below_zero_and_share_the_orders_number(importing):
    mapping = """
    columns: {number: order, placed_at: date, sku: sku, quantity: qty, unit_price: price}
    credit_note: {column: qty, negative: true}
    """

    report = await importing.orders(
        ORDER_LINES,
        "1001,2025-12-01,,MUG,Mug,2,4.50",
        "1001,2025-12-01,,MUG,Mug,-1,4.50",
        mapping_file=importing.mapping(mapping),
    )

    assert outcomes(report) == {"imported": 2}
    assert await importing.all("orders", "number", "total_minor") == [("1001", 900)]
    assert await importing.all("credit_notes", "number", "total_minor") == [("1001", 450)]


async def test_a_credit_note_names_its_order_where_that_is_known(importing):
    mapping = """
    columns: {number: no, placed_at: date, total: total, credited_order: of}
    credit_note: {column: kind, equals: [Refund, credit]}
    """

    report = await importing.orders(
        "no,date,kind,total,of",
        "1001,2025-12-01,sale,20.00,",
        "9001,2025-12-02,refund,-5.00,1001",
        "9002,2025-12-02,REFUND,5.00,7777",
        mapping_file=importing.mapping(mapping),
    )

    assert outcomes(report) == {"imported": 3}
    assert await importing.all("credit_notes", "number", "order_number", "total_minor") == [
        ("9001", "1001", 500),
        ("9002", None, 500),
    ]
    assert report.tally.notes[Note.UNKNOWN_CREDITED_ORDER.value] == 1


async def test_an_order_may_come_with_all_that_a_shop_knows_of_it(importing):
    report = await importing.orders(
        "number;date;total;discount;delivery;currency;status;due on;shipped at;carrier;tracking;address;postcode",
        '1001;01.12.2025 18:30;"1.020,50 €";-5,00;3,50;EUR;Dispatched;03.12.2025;02.12.2025;DHL;T-1;"Main St 1\n'
        'Cebu";6000',
        decimal_comma=True,
        date_formats=("%d.%m.%Y %H:%M", "%d.%m.%Y"),
        time_zone="Europe/Berlin",
    )

    assert outcomes(report) == {"imported": 1}, importing.rejects()
    assert await importing.all(
        *("orders", "total_minor", "discount_minor", "delivery_minor", "currency", "status", "carrier"),
        *("tracking_number", "shipping_address", "postcode", "due_on"),
    ) == [(102050, 500, 350, "EUR", "shipped", "DHL", "T-1", "Main St 1, Cebu", "6000", date(2025, 12, 3))]
    assert await importing.all("orders", "placed_at") == [datetime(2025, 12, 1, 17, 30, tzinfo=timezone.utc)]


async def test_what_the_first_row_of_an_order_says_holds_for_the_others(importing):
    report = await importing.orders(
        "order,date,customer,total,sku,qty,price",
        "1001,2025-12-01,C-1,13.50,MUG,2,4.50",
        "1001,,,,TEA,1,3.00",
        columns=("number=order", "placed_at=date", "customer=customer", "total=total", "sku=sku", "quantity=qty"),
    )

    assert outcomes(report) == {"imported": 2}, importing.rejects()
    assert await importing.all("orders", "number", "total_minor") == [("1001", 1350)]


async def test_rows_that_differ_in_a_detail_keep_the_first_ones(importing):
    report = await importing.order_lines(
        "1001,2025-12-01 10:00,C-1,MUG,Mug,2,4.50", "1001,2025-12-01 10:01,C-1,TEA,Tea,1,3.00"
    )

    assert outcomes(report) == {"imported": 2}
    assert report.tally.notes[Note.DIFFERENT_ROWS.value] == 1
    assert await importing.all("orders", "placed_at") == [datetime(2025, 12, 1, 2, 0, tzinfo=timezone.utc)]


async def test_prices_with_more_decimals_than_the_currency_are_rounded_half_away_from_zero_and_counted(importing):
    report = await importing.order_lines(
        "1001,2025-12-01,C-1,A,A,2,0.005",
        "1001,2025-12-01,C-1,B,B,100,0.0049",
        "1001,2025-12-01,C-1,C,C,1,1.015",
        "1001,2025-12-01,C-1,D,D,1,0",
    )

    assert await importing.all("order_lines", "sku", "unit_price_minor") == [("A", 1), ("B", 0), ("C", 102), ("D", 0)]
    assert await importing.all("orders", "total_minor") == [104]
    assert report.tally.notes[Note.ROUNDED.value] == 3
    assert report.tally.notes[Note.FREE.value] == 2


async def test_a_currency_without_decimals_has_none(importing):
    importing.shop = a_shop(currency="JPY")

    await importing.order_lines('1001,2025-12-01,C-1,A,A,2,"1,500"')

    assert await importing.all("orders", "total_minor", "currency") == [(3000, "JPY")]


async def test_the_price_of_a_row_may_stand_for_the_price_of_one(importing):
    report = await importing.orders(
        "order,date,sku,qty,amount",
        "1001,2025-12-01,A,3,10.00",
        "1001,2025-12-01,B,2,3.00",
        columns=("number=order", "placed_at=date", "sku=sku", "quantity=qty", "line_total=amount"),
    )

    assert await importing.all("orders", "total_minor") == [1300]
    assert await importing.all("order_lines", "sku", "unit_price_minor") == [("A", 333), ("B", 150)]
    assert report.tally.notes[Note.ROUNDED.value] == 1


async def test_a_long_product_name_is_shortened_and_counted(importing):
    report = await importing.order_lines(f"1001,2025-12-01,C-1,A,{'very ' * 50}long mug,1,1.00")

    assert outcomes(report) == {"imported": 1}
    assert report.tally.notes[Note.SHORTENED.value] == 1
    assert [len(title) for title in await importing.all("order_lines", "title")] == [200]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1001,2025-12-01,C-1,A,A", "too_few_columns"),
        ("1001,2025-12-01,C-1,A,A,1,1.00,more", "too_many_columns"),
        (",,,,,,", "empty_row"),
        (" , ,", "empty_row"),
        ('1001,2025-12-01,C-1,"A"B,A,1,1.00', "bad_quotes"),
        ("1001,2025-12-01,C-1,A\0,A,1,1.00", "bad_characters"),
        (f"1001,2025-12-01,C-1,A,{'a' * 140_000},1,1.00", "too_long_a_field"),
        (f"1001,2025-12-01,C-1,A,{'a' * 1_100_000},1,1.00", "too_long_a_field"),
        (",2025-12-01,C-1,A,A,1,1.00", "missing"),
        ("1001,,C-1,A,A,1,1.00", "missing"),
        ("1001,2025-12-01,C-1,,,1,1.00", "missing"),
        ("1001,2025-12-01,C-1,A,A,1,", "missing"),
        ("1001,2025-12-01,C-1,A,A,,1.00", "bad_quantity"),
        ("1001,2025-12-01,C-1,A,A,two,1.00", "bad_quantity"),
        ("1001,2025-12-01,C-1,A,A,1.5,1.00", "bad_quantity"),
        ("1001,2025-12-01,C-1,A,A,0,1.00", "zero_quantity"),
        ("1001,2025-12-01,C-1,A,A,-1,1.00", "negative_quantity"),
        ("1001,2025-12-01,C-1,A,A,-1,0", "negative_quantity"),
        ("1001,2025-12-01,,A,A,-1,0", "stock_adjustment"),
        ("1001,2025-12-01,C-1,A,A,1,-1.00", "negative_price"),
        ("1001,2025-12-01,C-1,A,A,1,free", "bad_amount"),
        ('1001,2025-12-01,C-1,A,A,1,"1,50"', "bad_amount"),
        ("1001,2025-12-01,C-1,A,A,99999999,1.00", "too_large"),
        ("1001,2025-12-01,C-1,A,A,1,99999999999999", "too_large"),
        ("1001,2025-12-01,C-1,A,A,9999999,9999999999.99", "too_large"),
        ("1001,01/12/2025,C-1,A,A,1,1.00", "bad_date"),
        ("1001,2025-02-30,C-1,A,A,1,1.00", "bad_date"),
        ("1001,2025-12,C-1,A,A,1,1.00", "bad_date"),
        ("1001,1066-10-14,C-1,A,A,1,1.00", "bad_date"),
        ("1001,2026-01-07,C-1,A,A,1,1.00", "future_date"),
        (f"{'1' * 33},2025-12-01,C-1,A,A,1,1.00", "bad_number"),
        ("1001\N{SNOWMAN},2025-12-01,C-1,A,A,1,1.00", "bad_number"),
        (f"1001,2025-12-01,{'C' * 201},A,A,1,1.00", "too_long"),
        (f"1001,2025-12-01,C-1,{'A' * 81},A,1,1.00", "too_long"),
    ],
)
async def test_a_row_that_cannot_be_is_rejected_with_its_reason_and_the_others_are_not(importing, row, reason):
    report = await importing.order_lines("1000,2025-12-01,C-9,A,A,1,1.00", row, "1002,2025-12-01,C-9,A,A,1,1.00")

    assert outcomes(report) == {"imported": 2, "rejected": 1}
    assert reasons(report) == {reason: 1}
    assert [(one["rejected_row"], one["rejected_because"]) for one in importing.rejects()] == [("3", reason)]
    assert await importing.all("orders", "number") == ["1000", "1002"]


@pytest.mark.parametrize(
    ("header", "rows", "reason"),
    [
        ("number,date,total", ["1001,2025-12-01,-5.00"], "negative_total"),
        ("number,date,total", ["1001,2025-12-01,1.00", "1001,2025-12-01,1.00"], "repeated_order"),
        ("number,date,total", ["1001,2025-12-01,"], "missing"),
        ("number,date,total,status", ["1001,2025-12-01,1.00,lost"], "unknown_status"),
        ("number,date,total,currency", ["1001,2025-12-01,1.00,XYZ"], "unknown_currency"),
        ("number,date,total,email", ["1001,2025-12-01,1.00,nobody"], "bad_email"),
        ("number,date,total,email", ["1001,2025-12-01,1.00,nobody@localhost"], "bad_email"),
        ("number,date,total,shipping address", ["1001,2025-12-01,1.00,12345"], "bad_address"),
        ("number,date,total,shipping address", [f"1001,2025-12-01,1.00,{'a' * 501}"], "too_long"),
        ("number,date,total,delivery", ["1001,2025-12-01,1.00,-2.00"], "negative_total"),
    ],
)
async def test_a_whole_order_that_cannot_be_is_rejected_with_its_reason(importing, header, rows, reason):
    report = await importing.orders(header, *rows)

    assert reasons(report) == {reason: 1}
    assert report.tally.rows == report.rows == len(rows)


@pytest.mark.parametrize(
    ("header", "rows", "reason"),
    [
        ("customer,total", ["C-1,9.00", "C-2,9.00"], "other_customer"),
        ("email,total", ["a@example.com,9.00", "b@example.com,9.00"], "other_customer"),
        ("currency,total", ["USD,9.00", "EUR,9.00"], "other_currency"),
        ("customer,total", ["C-1,9.00", "C-1,8.00"], "other_total"),
    ],
)
async def test_a_row_of_another_order_under_the_same_number_is_rejected(importing, header, rows, reason):
    names = header.split(",")

    report = await importing.orders(
        f"order,date,sku,qty,price,{header}",
        *(f"1001,2025-12-01,A,1,4.50,{row}" for row in rows),
        columns=(
            *("number=order", "placed_at=date", "sku=sku", "quantity=qty", "unit_price=price"),
            *(f"{name}={name}" for name in names),
        ),
    )

    assert outcomes(report) == {"imported": 1, "rejected": 1}
    assert reasons(report) == {reason: 1}


async def test_a_row_of_a_credit_note_that_charges_is_rejected(importing):
    report = await importing.orders(
        ORDER_LINES,
        "C1,2025-12-01,C-1,A,A,-1,1.00",
        "C1,2025-12-01,C-1,B,B,1,1.00",
        "C1,2025-12-01,C-1,C,C,-1,-1.00",
        mapping_file=importing.mapping(BEGINS_WITH_C),
    )

    assert reasons(report) == {"mixed_signs": 1, "negative_price": 1}
    assert await importing.all("credit_notes", "number", "total_minor") == [("C1", 100)]


async def test_an_order_has_no_more_rows_than_fit_into_memory(importing):
    rows = [f"1001,2025-12-01,C-1,A{place},A,1,1.00" for place in range(MAX_ROWS_OF_AN_ORDER + 3)]
    rows.insert(4, "1002,2025-12-01,C-1,A,A,1,1.00")

    report = await importing.order_lines(*rows)

    assert outcomes(report) == {"imported": MAX_ROWS_OF_AN_ORDER + 1, "rejected": 3}
    assert reasons(report) == {"too_many_rows": 3}
    assert await importing.all("orders", "number", "total_minor") == [
        ("1001", 100 * MAX_ROWS_OF_AN_ORDER),
        ("1002", 100),
    ]


async def test_what_is_rejected_of_an_order_does_not_keep_the_rest_of_it_out(importing):
    report = await importing.order_lines(
        "1001,2025-12-01,C-1,A,A,1,1.00", "1001,2025-12-01,C-1,B,B,x,1.00", "1001,2025-12-01,C-1,C,C,1,3.00"
    )

    assert outcomes(report) == {"imported": 2, "rejected": 1}
    assert await importing.all("order_lines", "position", "sku") == [(1, "A"), (2, "C")]
    assert await importing.all("orders", "total_minor") == [400]


# What is known already


async def test_importing_a_changed_file_changes_what_is_new_in_it(importing):
    await importing.order_lines("1001,2025-12-01,C-1,A,A,1,1.00", "1002,2025-12-01,C-1,A,A,1,1.00")

    report = await importing.order_lines(
        "1001,2025-12-01,C-1,A,A,1,1.00", "1001,2025-12-01,C-1,B,B,2,2.00", "1002,2025-12-01,C-1,A,A,1,1.00"
    )

    assert outcomes(report) == {"updated": 2, "unchanged": 1}
    assert await importing.all("order_lines", "order_number", "position", "sku") == [
        *(("1001", 1, "A"), ("1001", 2, "B"), ("1002", 1, "A")),
    ]
    assert await importing.all("orders", "total_minor") == [100, 500]


async def test_a_credit_note_is_changed_as_an_order_is(importing):
    mapping = importing.mapping(BEGINS_WITH_C)
    first, second = "C1,2025-12-01,C-1,A,A,-1,1.00", "C1,2025-12-01,C-1,B,B,-1,2.00"
    await importing.orders(ORDER_LINES, first, mapping_file=mapping)

    report = await importing.orders(ORDER_LINES, first, second, mapping_file=mapping)
    same = await importing.orders(ORDER_LINES, first, second, "", mapping_file=mapping)

    assert outcomes(report) == {"updated": 2}
    assert outcomes(same) == {"unchanged": 2}
    assert await importing.all("credit_notes", "total_minor") == [300]
    assert await importing.all("credit_note_lines", "position", "sku") == [(1, "A"), (2, "B")]


async def test_what_the_shop_or_the_customer_changed_stays(importing):
    header = "number,date,total,status,shipping address,shipped at"
    await importing.orders(header, "1001,2025-12-01,10.00,paid,Old St 1,")
    async with importing.db.transaction() as work:
        order = await work.orders.by_number("1001")
        values = {**vars(order), "shipping_address": "New St 2", "status": type(order.status)("cancelled")}
        await work.orders.save(type(order)(**values))

    same = await importing.orders(header, "1001,2025-12-01,10.00,paid,Old St 1,", again=True)
    later = await importing.orders(header, "1001,2025-12-01,10.00,shipped,Other St 3,2025-12-02")

    assert outcomes(same) == {"unchanged": 1}
    assert outcomes(later) == {"unchanged": 1}
    assert later.tally.notes[Note.KEPT.value] == 2
    assert await importing.all("orders", "status", "shipping_address", "shipped_at") == [
        ("cancelled", "New St 2", None)
    ]


async def test_a_status_moves_on_with_the_file_and_never_back(importing):
    header = "number,date,total,status,shipped at"
    await importing.orders(header, "1001,2025-12-01,10.00,pending,")
    moved = await importing.orders(header, "1001,2025-12-01,10.00,shipped,2025-12-03")
    back = await importing.orders(header, "1001,2025-12-01,10.00,paid,2025-12-03")

    assert (outcomes(moved), outcomes(back)) == ({"updated": 1}, {"unchanged": 1})
    assert await importing.all("orders", "status", "placed_at", "paid_at") == [
        ("shipped", *[datetime(2025, 11, 30, 16, 0, tzinfo=timezone.utc)] * 2)
    ]


async def test_the_file_counts_more_where_that_is_asked_for(importing):
    await stored_order(importing.db, number="TC-1", total_minor=500, lines=(), placed_at=NOW, postcode="1200")

    kept = await importing.orders("number,date,total,postcode", "TC-1,2025-12-01,7.00,6000")
    taken = await importing.orders("number,date,total,postcode", "TC-1,2025-12-01,7.00,6000", overwrite=True)

    assert (outcomes(kept), kept.tally.notes[Note.KEPT.value]) == ({"unchanged": 1}, 3)
    assert outcomes(taken) == {"updated": 1}
    assert await importing.all("orders", "total_minor", "postcode") == [(700, "6000")]


async def test_an_order_of_the_shop_gets_what_it_did_not_have(importing):
    await stored_order(importing.db, number="TC-1", total_minor=700, lines=(), carrier=None, email=None)

    report = await importing.orders(
        "number,date,total,carrier,email", "tc-1,2026-01-05T09:00:00Z,7.00,DHL,maria@example.com"
    )

    assert outcomes(report) == {"updated": 1}
    assert await importing.all("orders", "number", "carrier", "email") == [("TC-1", "DHL", "maria@example.com")]


async def erase(importing, customer_id):
    async with importing.db.transaction() as work:
        await erase_customer(work, importing.clock, customer_id, actor="operator")


@pytest.mark.parametrize("number", ["C-1", ""])
async def test_what_belongs_to_somebody_erased_does_not_come_back(importing, number):
    rows = (
        "number,date,total,customer id,email,shipping address,tracking",
        f"1001,2025-12-01,7.00,{number},maria@example.com,Main St 1,T-1",
    )
    await importing.orders(*rows)
    (maria,) = await importing.all("customers", "id")
    await erase(importing, maria)
    before = await importing.everything()

    same = await importing.orders(*rows, again=True, overwrite=True)
    more = await importing.orders(*rows, f"1002,2025-11-01,8.00,{number},maria@example.com,Main St 1,T-2")

    assert outcomes(same) == {"unchanged": 1}
    assert outcomes(more) == {"unchanged": 1, "imported": 1}
    assert (await importing.everything())["customers"] == before["customers"]
    orders = await importing.all("orders", "number", "email", "shipping_address", "tracking_number", "customer_id")
    assert [order[:4] for order in orders] == [("1001", None, None, None), ("1002", None, None, None)]
    # By its number, the order is the erased record's; by the address alone, nobody's.
    assert [order[4] for order in orders] == [maria, maria if number else None]


async def test_whoever_comes_back_after_they_were_erased_is_a_new_customer(importing):
    rows = "number,date,total,email"
    await importing.orders(rows, "1001,2025-12-01,7.00,maria@example.com")
    await erase(importing, (await importing.all("customers", "id"))[0])
    importing.clock.advance(days=7)

    report = await importing.orders(rows, "1002,2026-01-10,9.00,maria@example.com")

    assert report.tally.records["customers added"] == 1
    assert await importing.all("customers", "email") == ["maria@example.com", None]


async def test_numbers_keep_what_they_are_made_of_in_upper_case(importing):
    await importing.orders(
        "number,date,total",
        *(f"{number},2025-12-01,1.00" for number in ("536365", "A563185", "c536379", "tc-10002", "#1001", "2025/17 b")),
    )

    assert await importing.all("orders", "number") == sorted(
        ["536365", "A563185", "C536379", "TC-10002", "#1001", "2025/17 B"]
    )


async def test_the_columns_of_lines_are_found_by_their_names(importing):
    report = await importing.orders(
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country",
        "536365,85123A,HOLDER,6,2010-12-01 08:26:00,2.55,17850,United Kingdom",
    )

    assert outcomes(report) == {"imported": 1}
    assert "unused" not in importing.said[0] and "Columns that are not used: Country" in importing.said[0]
    assert importing.said[0].count("(guessed)") == 7
