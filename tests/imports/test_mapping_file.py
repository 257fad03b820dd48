"""Which column holds what: said by a mapping file or on the command line, or guessed; and every fault in words."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.core.import_fields import Kind
from bot.core.import_mapping import CreditNoteRule
from bot.core.orders import OrderStatus
from bot.errors import ImportRefused
from bot.imports.mapping_file import Choice, MappingWishes, Wishes
from bot.imports.report import choice_in_words
from tests.builders import a_shop

ROOT = Path(__file__).parents[2]
LINES = ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country")


def choose(kind: Kind, *header: str, **wishes: object) -> Choice:
    return MappingWishes(Wishes(**wishes)).choose(kind, header, a_shop())  # type: ignore[arg-type]


def columns(choice: Choice) -> dict[str, str]:
    return {name: "+".join(some) for name, some in choice.mapping.columns.items()}


def faults(kind: Kind, *header: str, **wishes: object) -> str:
    with pytest.raises(ImportRefused) as refusal:
        choose(kind, *header, **wishes)
    return "\n".join(refusal.value.faults)


def test_common_names_are_guessed_whatever_their_case_and_signs():
    choice = choose(Kind.CUSTOMERS, "Customer No.", "E-Mail", "FIRST_NAME", "last name", "Mobile", "ZIP code", "?")

    assert columns(choice) == {
        "id": "Customer No.",
        "email": "E-Mail",
        "first_name": "FIRST_NAME",
        "last_name": "last name",
        "phone": "Mobile",
        "postcode": "ZIP code",
    }
    assert set(choice.guessed) == set(choice.mapping.columns)
    assert "name" in choice.without_column
    assert choice.unused_columns == ("?",)


def test_order_lines_are_guessed():
    assert columns(choose(Kind.ORDERS, *LINES)) == {
        "number": "InvoiceNo",
        "placed_at": "InvoiceDate",
        "customer": "CustomerID",
        "sku": "StockCode",
        "title": "Description",
        "quantity": "Quantity",
        "unit_price": "UnitPrice",
    }


def test_an_amount_beside_lines_is_not_guessed_because_it_may_be_the_rows():
    choice = choose(Kind.ORDERS, *LINES, "Amount", "Discount")

    assert not {"total", "discount"} & set(choice.mapping.columns)
    assert {"Amount", "Discount"} <= set(choice.unused_columns)


def test_a_column_that_is_there_twice_is_not_guessed():
    assert columns(choose(Kind.CUSTOMERS, "id", "email", "Email")) == {"id": "id"}


def test_what_the_command_line_says_comes_before_guesses():
    choice = choose(
        Kind.CUSTOMERS, "id", "email", "Second e-mail", "phone", columns=("email=Second e-mail", "phone=", "name=email")
    )

    assert columns(choice) == {"id": "id", "email": "Second e-mail", "name": "email"}
    assert choice.guessed == {"id": "id"}


def test_several_columns_can_make_up_a_field():
    choice = choose(Kind.CUSTOMERS, "id", "Street", "Town", columns=("address=Street", "address=Town"))

    assert choice.mapping.columns["address"] == ("Street", "Town")


def test_the_shop_decides_where_nobody_says_anything():
    mapping = choose(Kind.ORDERS, *LINES).mapping

    assert (mapping.currency, mapping.zone, mapping.status) == ("USD", ZoneInfo("Asia/Manila"), OrderStatus.DELIVERED)


def test_a_mapping_file_is_taken_at_its_word(tmp_path):
    path = tmp_path / "mapping.yml"
    path.write_text(
        """
        columns:
          number: InvoiceNo
          placed_at: [InvoiceDate, Country]
          total: UnitPrice
        credit_note: {column: InvoiceNo, equals: X}
        status: paid
        statuses: {Ready!: shipped}
        currency: eur
        time_zone: Europe/Berlin
        dates: "%d.%m.%Y"
        decimal_comma: true
        encoding: cp1252
        delimiter: ";"
        """
    )
    wishes = MappingWishes(Wishes(mapping_file=path))
    choice = wishes.choose(Kind.ORDERS, LINES, a_shop())

    assert columns(choice) == {"number": "InvoiceNo", "placed_at": "InvoiceDate+Country", "total": "UnitPrice"}
    assert choice.guessed == {}
    mapping = choice.mapping
    assert mapping.credit_note == CreditNoteRule("InvoiceNo", equals=("X",))
    assert (mapping.status, mapping.statuses) == (OrderStatus.PAID, {"Ready!": OrderStatus.SHIPPED})
    assert (mapping.currency, mapping.zone, mapping.decimal_comma) == ("EUR", ZoneInfo("Europe/Berlin"), True)
    assert mapping.date_formats == ("%d.%m.%Y",)
    assert (wishes.csv.encoding, wishes.csv.delimiter) == ("cp1252", ";")


def test_the_command_line_comes_before_the_mapping_file(tmp_path):
    path = tmp_path / "mapping.yml"
    path.write_text("columns: {number: InvoiceNo, placed_at: InvoiceDate, total: UnitPrice}\ncurrency: EUR\n")

    choice = choose(Kind.ORDERS, *LINES, mapping_file=path, currency="gbp", columns=("total=Quantity",))

    assert (choice.mapping.currency, columns(choice)["total"]) == ("GBP", "Quantity")


def test_the_mapping_in_the_documentation_fits_its_file():
    choice = choose(Kind.ORDERS, *LINES, mapping_file=ROOT / "docs" / "mappings" / "online_retail.yml")

    assert choice.unused_columns == ("Country",)
    assert (choice.mapping.currency, choice.mapping.credit_note) == ("GBP", CreditNoteRule("InvoiceNo", begins="C"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("columns: [", "mapping.yml: line 1"),
        ("just text", "is not a group of settings"),
        ("currency: EUR", "columns: is missing"),
        ("columns: {number: InvoiceNo}\ncolumn: x", "column: is not a setting; did you mean columns?"),
        ("columns: InvoiceNo", "columns: "),
        ("columns: {number: }", "columns.number: "),
        ("columns: {nummer: InvoiceNo}", "nummer is not a field of orders; did you mean 'number'?"),
        ("columns: {number: Invoice}", "number: the file has no column 'Invoice'; did you mean 'InvoiceNo'?"),
        ("columns: {number: InvoiceNo}\ncredit_note: {column: InvoiceNo}", "it needs begins, equals or negative"),
        ("columns: {number: InvoiceNo}\ncredit_note: {column: Type, begins: C}", "credit_note: the file has no column"),
        ("columns: {number: InvoiceNo}\nstatus: lost", "status: 'lost' is not a status"),
        ("columns: {number: InvoiceNo}\nstatuses: {a: lost}", "statuses.a: 'lost' is not a status"),
        ("columns: {number: InvoiceNo}\ncurrency: Pounds", "currency: 'Pounds' is not one"),
        ("columns: {number: InvoiceNo}\ntime_zone: Mars", "time zone: 'Mars' is not one"),
        ("columns: {number: InvoiceNo}\ntime_zone: ../etc", "time zone: '../etc' is not one"),
        ("columns: {number: InvoiceNo}\ndates: '%H'", "date format: '%H' does not name a day"),
        ("columns: {number: InvoiceNo}\ndates: ['%Q']", "date format: '%Q' does not name a day"),
        ("columns: {number: InvoiceNo}\ndecimal_comma: maybe", "decimal_comma: is not true or false"),
        ("columns: {number: InvoiceNo}", "placed_at is missing"),
        ("columns: {number: InvoiceNo, placed_at: InvoiceDate}", "total is missing"),
        ("columns: {number: InvoiceNo, placed_at: InvoiceDate, quantity: Quantity}", "sku or title is missing"),
    ],
)
def test_the_faults_of_a_mapping_file_are_told(tmp_path, content, said):
    path = tmp_path / "mapping.yml"
    path.write_text(content)

    assert said in faults(Kind.ORDERS, *LINES, mapping_file=path)


def test_a_mapping_file_that_is_not_there_is_told(tmp_path):
    assert "none.yml: cannot be read" in faults(Kind.ORDERS, *LINES, mapping_file=tmp_path / "none.yml")


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"columns": ("email",)}, "--map email: is not FIELD=COLUMN"),
        ({"columns": ("=email",)}, "--map =email: is not FIELD=COLUMN"),
        ({"columns": ("shoe_size=id",)}, "shoe_size is not a field of customers"),
        ({"columns": ("email=E-Mail",)}, "email: the file has no column 'E-Mail'"),
        ({"columns": ("email=twice",)}, "email: the file has 2 columns 'twice'; which one is meant?"),
        ({"columns": ("id=",)}, "id or email is missing"),
        ({"currency": "x"}, "currency: 'x' is not one"),
    ],
)
def test_faults_of_the_command_line_are_told_with_the_columns_that_there_are(wish, said):
    told = faults(Kind.CUSTOMERS, "id", "name", "twice", "twice", **wish)

    assert said in told
    assert "the file's columns are: id, name, twice, twice" in told


def test_all_faults_are_told_at_once():
    told = faults(Kind.ORDERS, "a", currency="x", time_zone="y", date_formats=("z",), columns=("number=b",))

    assert [word in told for word in ("currency", "time zone", "date format", "'b'", "placed_at", "total")] == [
        True
    ] * 6


def test_a_credit_note_rule_makes_no_sense_for_customers(tmp_path):
    path = tmp_path / "mapping.yml"
    path.write_text("columns: {id: id}\ncredit_note: {column: id, begins: C}")

    assert "credit_note is for orders" in faults(Kind.CUSTOMERS, "id", mapping_file=path)


def test_the_choice_is_shown_with_what_was_guessed_and_what_is_missing():
    told = choice_in_words(choose(Kind.CUSTOMERS, "No", "E-Mail", "Colour", columns=("id=No",)))

    assert "id                No\n" in told
    assert "email             E-Mail  (guessed)" in told
    assert "Without a column" in told and "phone" in told
    assert "Columns that are not used: Colour" in told


def test_the_same_mapping_has_the_same_fingerprint_and_another_has_another():
    one, same = choose(Kind.ORDERS, *LINES).mapping, choose(Kind.ORDERS, *LINES).mapping
    others = [
        choose(Kind.ORDERS, *LINES, currency="GBP").mapping,
        choose(Kind.ORDERS, *LINES, decimal_comma=True).mapping,
        choose(Kind.ORDERS, *LINES, columns=("title=",)).mapping,
    ]

    assert one.fingerprint(1) == same.fingerprint(1)
    assert len({mapping.fingerprint(1) for mapping in (one, *others)} | {one.fingerprint(2)}) == 5
