"""The business file's fees, days and links, as rules and answers get them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.business import load_business
from bot.core.shop import Policies
from bot.errors import ConfigError

BUSINESS = """
name: Corner Shop
currency: EUR
time_zone: Europe/Berlin
contact: {email: hello@corner.example}
opening_hours:
  monday: ["08:00-12:00", "13:00-17:00"]
  tuesday: closed
  wednesday: closed
  thursday: closed
  friday: closed
  saturday: closed
  sunday: closed
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "business.yml"


def load(file: Path, more: str = "", base: str = BUSINESS):
    file.write_text(base + more)
    return load_business(file)


def faults(file: Path, more: str, base: str = BUSINESS) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(file, more, base)
    return [fault.removeprefix(f"{file}: ") for fault in caught.value.faults]


def test_what_is_left_out_is_as_the_rules_have_it(file):
    assert load(file).to_shop().policies == Policies()


def test_the_rules_get_fees_in_minor_units_and_days(file):
    shop = load(
        file,
        'orders: {cancellation_fee: "2.50", returns_days: 14, refund_days: 7}\n'
        "delivery: {fee: 4.9, free_from: 40, days: 3}\n"
        "invoices: {link_hours: 48}\n",
    ).to_shop()

    assert shop.policies == Policies(
        cancellation_fee_minor=250,
        returns_days=14,
        refund_days=7,
        delivery_fee_minor=490,
        free_delivery_from_minor=4_000,
        delivery_days="3",
        invoice_link_hours=48,
    )


@pytest.mark.parametrize(("currency", "minor"), [("JPY", 500), ("USD", 50_000), ("KWD", 500_000)])
def test_minor_units_are_those_of_the_currency(file, currency, minor):
    business = load(file, "delivery: {fee: 500}\n", BUSINESS.replace("EUR", currency))

    assert business.policies.delivery_fee_minor == minor


def test_links_are_those_that_the_shop_has(file):
    shop = load(file, "links: {shop: 'https://c.example', order_page: 'https://c.example/{number}'}\n").to_shop()

    assert shop.links == {"shop": "https://c.example", "order_page": "https://c.example/{number}"}


def test_facts_are_words_for_answers(file):
    facts = load(
        file,
        "orders: {cancellation_fee: 2.5}\ndelivery: {fee: 4, free_from: 1000}\nlinks: {shop: 'https://c.example'}\n",
    ).facts()

    assert facts["hours"] == "Monday 08:00–12:00, 13:00–17:00; Tuesday–Sunday closed"
    assert (facts["cancellation_fee"], facts["delivery_fee"], facts["free_delivery_from"]) == (
        "€2.50",
        "€4.00",
        "€1,000.00",
    )
    assert (facts["returns_days"], facts["delivery_days"], facts["links.shop"]) == ("30", "2 to 5", "https://c.example")


def test_a_fee_of_nothing_reads_well(file):
    facts = load(file).facts()

    assert facts["cancellation_fee"] == facts["delivery_fee"] == "nothing"


def test_a_fact_that_the_shop_has_not_is_left_out(file):
    facts = load(file).facts()

    assert {"contact_phone", "address", "free_delivery_from", "links.shop"}.isdisjoint(facts)


def test_every_fault_of_amounts_and_days_is_named(file):
    assert faults(
        file,
        "orders: {cancellation_fee: 2.505, returns_days: 2.5, refund_days: -1}\n"
        "delivery: {fee: free, free_from: -1, days: []}\n"
        "invoices: {link_hours: 0}\n"
        "links: {account: corner}\n",
    ) == [
        "orders.returns_days: is not a whole number",
        "orders.refund_days: ensure this value is greater than or equal to 0",
        "delivery.fee: 'free' is not an amount such as 2.50",
        "delivery.free_from: -1 is not an amount such as 2.50",
        "delivery.days: is not a whole number",
        "delivery.days: str type expected",
        "invoices.link_hours: ensure this value is greater than or equal to 1",
        "links.account: 'corner' is not a web address such as https://www.example.com/page",
    ]


@pytest.mark.parametrize("amount", ["true", "[]", "''", "'-0.01'", "nan", "1e30"])
def test_what_is_no_amount_is_a_fault(file, amount):
    (fault,) = faults(file, f"delivery: {{fee: {amount}}}\n")

    assert fault.startswith("delivery.fee: ")


def test_a_fraction_of_the_smallest_coin_is_a_fault(file):
    assert faults(file, "orders: {cancellation_fee: 2.505}\ndelivery: {fee: 0.001, free_from: 1}\n") == [
        "orders.cancellation_fee: 2.505 has more decimals than EUR has (2)",
        "delivery.fee: 0.001 has more decimals than EUR has (2)",
    ]


# Customers


def test_what_the_shop_decides_about_customers_reaches_the_rules(file):
    plain = load(file).to_shop()
    shop = load(file, "country: DE\nlifecycle: {lapsed_days: 90}\nprivacy: {erasure_needs_approval: false}\n").to_shop()

    assert (plain.country, plain.lapsed_days, plain.erasure_needs_approval) == (None, 180, True)
    assert (shop.country, shop.lapsed_days, shop.erasure_needs_approval) == ("DE", 90, False)


def test_how_long_files_are_kept_is_the_shops_decision(file):
    assert load(file).to_shop().files_keep_days == 365
    assert load(file, "files: {keep_days: 30}\n").to_shop().files_keep_days == 30


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ("country: Germany", "country: 'Germany' is not a country of two capital letters, such as PH or DE"),
        ("country: de", "country: 'de' is not a country"),
        ("files: {keep_days: 0}", "files.keep_days"),
        ("files: {keep_days: for ever}", "files.keep_days"),
        ("lifecycle: {lapsed_days: 0}", "lifecycle.lapsed_days"),
        ("privacy: {erasure_needs_approval: maybe}", "privacy.erasure_needs_approval"),
    ],
)
def test_what_cannot_be_decided_about_customers_is_a_fault(file, more, named):
    (fault,) = faults(file, more)

    assert named in fault
