"""Order numbers, e-mail addresses, phone numbers and postcodes, however they are typed; and any text at all."""

import time
from datetime import date, datetime, timezone
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rasa.shared.nlu.training_data.message import Message

from bot.core.catalogue import Catalogue, Product
from bot.nlu.details import DetailFinder, OrderFormat
from bot.nlu.entities import DetailExtractor

CATALOGUE = Catalogue(
    [
        Product("MUG", "Parol mug, 350 ml", "mugs", 1_800),
        Product("BARAKO", "Batangas Barako, 250 g", "beans", 1_200, aliases=("tc 1",)),
        Product("SUN", "Sunday blend", "beans", 1_200, aliases=("\ud800", "...", "5 stars")),
    ]
)


@pytest.fixture(scope="module")
def finder() -> DetailFinder:
    return DetailFinder(catalogue=lambda: CATALOGUE)


def values(finder: DetailFinder, text: str) -> list[tuple[str, str | int]]:
    return [(detail.kind, detail.value) for detail in finder.find(text)]


@pytest.mark.parametrize(
    "text",
    [
        "TC-10002", "tc-10002", "TC10002", "tc 10002", "#tc-10002", "tc- 10 002", "TC \u2013 10002", "tc:10002",
        "order TC 1 0 0 0 2", "where's order 10002??", "order no. 10002", "order #10002", "#10002",
        "order number is: 10002", "order10002", "is tc10002 late", "(TC-10002)", "TC-\uff11\uff10\uff10\uff10\uff12",
    ],
)  # fmt: skip
def test_an_order_number_is_read_however_it_is_written(finder: DetailFinder, text: str) -> None:
    assert values(finder, text) == [("order_number", "TC-10002")]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("where is order 536365", "TC-536365"), ("order number 1042", "TC-1042"), ("my order no. is 1042", "TC-1042"),
        ("order #1042", "TC-1042"), ("my parcel 5363651", "TC-5363651"),
        ("where is order 1042", "TC-1042"), ("cancel my order 1042 please", "TC-1042"),
    ],
)  # fmt: skip
def test_a_number_of_another_length_is_an_order_where_it_is_called_one(
    finder: DetailFinder, text: str, number: str
) -> None:
    assert values(finder, text) == [("order_number", number)]


@pytest.mark.parametrize(
    "text",
    ["536365", "the number is 536365", "I want to order 1000 mugs", "can i order 1000 stickers", "order 2500 grams"],
)
def test_a_number_of_another_length_is_no_order_by_itself(finder: DetailFinder, text: str) -> None:
    assert "order_number" not in [kind for kind, _ in values(finder, text)]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("it's Maria@Example.com.", "maria@example.com"),
        ("<ana-marie.o+x@mail.co.uk>", "ana-marie.o+x@mail.co.uk"),
        ("email:ana@x.com", "ana@x.com"),
        ("write to (liza_b@example.org)!", "liza_b@example.org"),
        ("...rico@example.com...", "rico@example.com"),
    ],
)
def test_an_email_address_is_lower_cased_and_freed_from_punctuation(
    finder: DetailFinder, text: str, address: str
) -> None:
    assert values(finder, text) == [("email", address)]


@pytest.mark.parametrize(
    ("text", "postcode"),
    [
        ("1200", "1200"), ("it's 6000, thanks", "6000"), ("my postcode is 1605", "1605"), ("post code 10002", "10002"),
        ("zip: 10002", "10002"), ("SW1A 1AA", "SW1A 1AA"), ("sw1a1aa", "SW1A 1AA"), ("K1A 0B1", "K1A 0B1"),
        ("my postcode is ec1a 1bb", "EC1A 1BB"), ("100-0001", "100-0001"), ("postcode 560001", "560001"),
        ("1011 AB", "1011 AB"), ("1200 po", "1200"),
    ],
)  # fmt: skip
def test_a_postcode_is_read_when_it_is_named_or_stands_alone(finder: DetailFinder, text: str, postcode: str) -> None:
    assert values(finder, text) == [("postcode", postcode)]


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("call 0917 123 4567", "09171234567"), ("09171234567", "09171234567"), ("+63 917 123 4567", "+639171234567"),
        ("(02) 8123-4567", "0281234567"), ("ring me on +44 (0)20 7946 0958!", "+442079460958"),
        ("my mobile: 917-123-4567", "9171234567"), ("call 8123 4567 please", "81234567"),
        ("text me, 0917-1234567", "09171234567"), ("my number is 9171234567", "9171234567"),
        ("+1.415.555.0132", "+14155550132"), ("phone 415.555.0132.", "4155550132"),
    ],
)  # fmt: skip
def test_a_phone_number_is_given_as_digits(finder: DetailFinder, text: str, phone: str) -> None:
    assert values(finder, text) == [("phone", phone)]


@pytest.mark.parametrize(
    "text",
    [
        "the Hario V60 2kg set", "at 10:1200", "1200.50", "a@b", "maria@example", "", "   ",
        "my card is 4111 1111 1111 1111", "tracking 1234567890123456", "12345678901234567890", "2 bags",
    ],
)  # fmt: skip
def test_other_numbers_are_no_details(finder: DetailFinder, text: str) -> None:
    assert values(finder, text) == []


def test_a_phone_number_is_no_order_number_and_an_order_number_no_phone_number(finder: DetailFinder) -> None:
    assert values(finder, "call me about order 10002") == [("order_number", "TC-10002")]
    assert values(finder, "10002 10003") == [
        ("order_number", "TC-10002"), ("postcode", "10002"), ("order_number", "TC-10003"), ("postcode", "10003"),
    ]  # fmt: skip
    assert values(finder, "0917 123 4567, order 10002") == [("phone", "09171234567"), ("order_number", "TC-10002")]


def test_one_message_holds_details_of_every_kind() -> None:
    finder = DetailFinder(catalogue=lambda: CATALOGUE, today=lambda: date(2026, 7, 29))
    text = (
        "TC-10002: 2 parol mugs for $36, paid yesterday, 200 points and 4 stars; deliver from monday to friday to "
        "1200, mail ana@x.com or call 0917 123 4567"
    )

    assert values(finder, text) == [
        ("order_number", "TC-10002"), ("product", "MUG"), ("amount", "36.00 USD"), ("date", "2026-07-28"),
        ("points", 200), ("rating", 4), ("date_range", "2026-08-03/2026-08-07"), ("postcode", "1200"),
        ("email", "ana@x.com"), ("phone", "09171234567"),
    ]  # fmt: skip


def test_five_digits_alone_are_given_both_readings_over_the_same_characters(finder: DetailFinder) -> None:
    found = finder.find("10002")

    assert {(detail.kind, detail.value) for detail in found} == {("order_number", "TC-10002"), ("postcode", "10002")}
    assert {(detail.start, detail.end) for detail in found} == {(0, 5)}


def test_several_details_in_one_message_are_told_apart(finder: DetailFinder) -> None:
    text = "order TC-10002, maria@example.com, postcode 1200"

    assert values(finder, text) == [("order_number", "TC-10002"), ("email", "maria@example.com"), ("postcode", "1200")]
    assert [text[detail.start : detail.end] for detail in finder.find(text)] == [
        "TC-10002", "maria@example.com", "1200",
    ]  # fmt: skip


def test_a_detail_said_twice_is_given_once(finder: DetailFinder) -> None:
    assert values(finder, "tc10002!! I said TC-10002") == [("order_number", "TC-10002")]


def test_positions_count_the_characters_of_the_message_as_it_was_typed(finder: DetailFinder) -> None:
    text = "\U0001f600 caf\u00e9 \ud800  TC-10002"

    (detail,) = finder.find(text)

    assert text[detail.start : detail.end] == "TC-10002"


def test_another_prefix_written_in_full_is_still_an_order_number(finder: DetailFinder) -> None:
    assert values(finder, "where is ab-12345") == [("order_number", "AB-12345")]


def test_a_shop_sets_its_own_prefixes_and_length() -> None:
    finder = DetailFinder(OrderFormat(prefixes=("WEB", "SHOP"), usual_digits=6))

    assert values(finder, "shop 44021") == [("order_number", "SHOP-44021")]
    assert values(finder, "order 440215") == [("order_number", "WEB-440215")]


def test_a_shop_sets_its_own_expression() -> None:
    finder = DetailFinder(OrderFormat(regex=r"\b[0-9]{2}/[0-9]{4}/[a-z]\b"))

    assert values(finder, "where is 24/0031/k") == [("order_number", "24/0031/K")]


def test_a_shop_adds_its_own_phrases() -> None:
    finder = DetailFinder(phrases=[{"label": "product", "pattern": "V60 dripper", "id": "v60"}])

    assert values(finder, "is the v60 Dripper back?") == [("product", "v60")]


HOSTILE = {
    "brackets": "(",
    "dots": ".",
    "at signs": "a@",
    "at and dashes": "@a-",
    "digits": "1",
    "prefixes": "tc-",
    "spaced digits": "tc 1 ",
    "quotes": "'",
    "emoji": "\U0001f600",
    "combining marks": "a\u0300",
    "numbers": "1200 ",
    "order numbers": "tc10002 ",
    "addresses": "a@b.co ",
    "postcodes": "a1 1aa ",
    "words": "postcode order # ",
    "control characters": "\x00\x1b[2J\u202e",
    "markup": "<script>alert(1)</script>",
    "lines": "\n1",
    "phone numbers": "(0917) ",
    "digits with dots": "12.",
    "stars": "\u2b50",
    "dates": "1/2/2026-",
    "months": "may 5 to ",
    "weekdays": "on friday to ",
    "amounts": "$1,000.",
    "numbers in words": "twenty hundred ",
    "misspelt products": "baraco parrol ",
    "unfinished words": "parolparol",
}


@pytest.mark.parametrize("unit", HOSTILE.values(), ids=HOSTILE.keys())
def test_two_thousand_hostile_characters_are_read_in_linear_time(finder: DetailFinder, unit: str) -> None:
    text = (unit * 8000)[:8000]

    def seconds(given: str) -> float:
        """This thread's own processor time, the best of three: what else the machine does is not counted."""
        times = []
        for _ in range(3):
            started = time.thread_time()
            finder.find(given)
            times.append(time.thread_time() - started)
        return min(times)

    short, long = seconds(text[:2000]), seconds(text)

    assert short < 0.25
    assert long < 16 * max(short, 0.005)


@pytest.mark.parametrize(
    "text",
    [
        "undefined", "NaN", "\\", "'; DROP TABLE orders;--", "../../../etc/passwd", "%s%s%n", "{{7*7}}", "\ud800",
        "\udc00@\ud800.com", "\ufeff", "\u202etest\u202c", "\u0660\u0661\u0662\u0663", "\u00b2\u00b3\u00b9\u00b2",
        "#" * 50, "@@@", "tc-", "tc" + " " * 50 + "1", "0x10002", "1e10002", "\u2060\u200b\u180e", "T\u0300C-10002",
    ],
)  # fmt: skip
def test_no_string_breaks_it(finder: DetailFinder, text: str) -> None:
    for detail in finder.find(text):
        assert 0 <= detail.start < detail.end <= len(text)


PIECES = [
    "may", "5", "december", "/", "-", ".", "2026", "31", "to", "between", "and", "next", "friday", "$", "k", "points",
    "stars", "out of", "10", "the", "th", "parol", "mug", "in", "999999999", "years", "ago", "+", "(", ")", " ", "tc",
    "@x.com", "\u2b50",
]  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(text=st.one_of(st.text(), st.lists(st.sampled_from(PIECES), max_size=14).map(" ".join)))
def test_any_text_is_read_and_every_detail_stands_in_it(finder: DetailFinder, text: str) -> None:
    details = finder.find(text)

    for detail in details:
        assert 0 <= detail.start < detail.end <= len(text)
    spans = sorted((detail.start, detail.end) for detail in details if detail.kind != "postcode")
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))


def test_reading_messages_does_not_grow_the_vocabulary(finder: DetailFinder) -> None:
    def size() -> tuple[int, int]:
        return len(list(finder._nlp.vocab)), len(finder._nlp.vocab.strings)

    before = size()

    for number in range(50):
        finder.find(f"word{number} unheard{number}of parrol{number} on friday for ${number}")

    assert size() == before


def extractor(folder: Path, **config: object) -> DetailExtractor:
    files = {"catalogue": str(folder / "catalogue.yml"), "business": str(folder / "business.yml")}
    defaults = DetailExtractor.get_default_config()
    # Half past six in the evening, in Manila already the next day.
    return DetailExtractor({**defaults, **files, **config}, lambda: datetime(2026, 7, 29, 18, 30, tzinfo=timezone.utc))


def entities(component: DetailExtractor, text: str) -> list[tuple[str, object]]:
    (message,) = component.process([Message({"text": text})])
    return [(entity["entity"], entity["value"]) for entity in message.get("entities")]


def test_the_component_reads_the_shops_time_zone_and_catalogue(tmp_path: Path) -> None:
    (tmp_path / "business.yml").write_text("time_zone: Asia/Manila\n")
    (tmp_path / "catalogue.yml").write_text("- {sku: MUG-1, name: Parol mug, category: mugs, price: 18}\n")

    component = extractor(tmp_path)

    assert entities(component, "a parol mug for tomorrow") == [("product", "MUG-1"), ("date", "2026-07-31")]


@pytest.mark.parametrize("business", [None, "time_zone: Mars/Base", "time_zone: [", "- 1", "name: Tala"])
def test_without_readable_files_there_are_no_products_and_days_are_in_utc(
    tmp_path: Path, business: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    if business is not None:
        (tmp_path / "business.yml").write_text(business)

    component = extractor(tmp_path)

    assert entities(component, "a parol mug for tomorrow") == [("date", "2026-07-30")]
    assert "catalogue.yml" in caplog.text and "business.yml gives no time zone" in caplog.text
