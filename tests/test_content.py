"""Knowledge and catalogue: read, checked, and read again after an edit."""

from __future__ import annotations

import logging
import os
import re
import subprocess
from pathlib import Path

import pytest

from bot.business import load_business
from bot.content import CATALOGUE_FILE, KNOWLEDGE_FOLDER, ContentFiles, read_catalogue, read_knowledge
from bot.core.knowledge import Link
from bot.errors import ConfigError
from bot.services.demo_data import CURRENCY, PRODUCTS

ROOT = Path(__file__).parents[1]
FACTS = {
    "shop": "Corner Shop",
    "currency": "EUR",
    "contact_email": "hello@corner.example",
    "links.shop": "https://c.example",
}

ENTRY = """
- id: parking
  title: Parking
  ask: [where can I park]
  answer: Behind {shop}. Questions? {contact_email}
  links:
    - {title: "{shop}", url: "{links.shop}/parking"}
"""
PRODUCT = """
- {sku: TEA-1, name: Green tea, category: tea, price: 4.50, aliases: [sencha], tags: [mild]}
"""


class Clock:
    """Goes only when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "knowledge").mkdir()
    (tmp_path / "knowledge/shop.yml").write_text(ENTRY)
    (tmp_path / "catalogue.yml").write_text(PRODUCT)
    return tmp_path


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def content(folder: Path, clock: Clock) -> ContentFiles:
    return ContentFiles(folder / "knowledge", folder / "catalogue.yml", FACTS, clock)


def edit(file: Path, text: str) -> None:
    """Write a file so that its time differs, however coarse the file system's clock."""
    later = (file.stat().st_mtime_ns if file.exists() else 0) + 2_000_000_000
    file.write_text(text)
    os.utime(file, ns=(later, later))


def faults_in_knowledge(folder: Path, text: str) -> list[str]:
    file = folder / "knowledge/shop.yml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_knowledge(folder / "knowledge", FACTS)
    return [fault.removeprefix(f"{file}: ") for fault in caught.value.faults]


def faults_in_catalogue(folder: Path, text: str) -> list[str]:
    file = folder / "catalogue.yml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_catalogue(file, "EUR")
    return [fault.removeprefix(f"{file}: ") for fault in caught.value.faults]


# Reading


def test_an_answer_has_the_shops_facts(folder):
    entry = read_knowledge(folder / "knowledge", FACTS).entry("parking")

    assert entry is not None
    assert entry.answer == "Behind Corner Shop. Questions? hello@corner.example"
    assert entry.links == (Link("Corner Shop", "https://c.example/parking"),)


def test_without_facts_placeholders_stay(folder):
    entry = read_knowledge(folder / "knowledge").entry("parking")

    assert entry is not None and entry.answer == "Behind {shop}. Questions? {contact_email}"


def test_an_entry_is_found_by_the_wish_that_it_answers(folder):
    edit(folder / "knowledge/money.yml", ENTRY.replace("id: parking", "id: fees\n  intent: check_fees"))

    knowledge = read_knowledge(folder / "knowledge", FACTS)

    assert knowledge.answer_to("check_fees") is knowledge.entry("fees")
    assert knowledge.answer_to("parking") is None


def test_prices_are_in_minor_units_of_the_currency(folder):
    assert [
        read_catalogue(folder / "catalogue.yml", currency).products[0].price_minor for currency in ("EUR", "KWD")
    ] == [
        450,
        4500,
    ]


def test_without_a_currency_there_are_products_but_no_prices(folder):
    product = read_catalogue(folder / "catalogue.yml").product("TEA-1")

    assert product is not None and (product.aliases, product.price_minor) == (("sencha",), 0)


# Faults


def test_every_fault_of_the_knowledge_is_named(folder):
    assert faults_in_knowledge(
        folder,
        """
- {id: one, title: One, ask: [what], answer: x, intent: greet, link: []}
- {id: two, title: Two, ask: [], answer: "{contact_mail}"}
- {id: three, title: Three, ask: [what], answer: "{tea}"}
- {id: four, title: Four, ask: [""], answer: "a { b"}
- {id: five, title: Five, ask: [what], answer: x, intent: greet, links: [{title: x, url: www.c.example}]}
- {id: five, title: Six, ask: [what], answer: x, intent: greet}
- {title: Seven, ask: what, answer: 8}
- just words
""",
    ) == [
        "one: link: is not a setting; did you mean links?",
        "two: ask: is empty",
        "three: answer: business.yml gives no {tea} (there are: contact_email, currency, links.shop, shop)",
        "four: ask.0: is empty",
        "five: links: 'www.c.example' is not a web address such as https://www.example.com",
        f"five: id: five is taken already, in {folder / 'knowledge/shop.yml'}: five",
        f"five: intent: greet is taken already, in {folder / 'knowledge/shop.yml'}: five",
        "number 7: id: is missing",
        "number 7: ask: is not a list, such as [one, two]",
        "number 7: answer: is not text: put it in quotes",
        "number 8: is not a group of settings, each as `name: value`",
    ]


def test_a_misspelt_fact_is_named_with_the_likely_one_and_a_lone_brace_is_a_fault(folder):
    assert faults_in_knowledge(folder, '- {id: a, title: A, ask: [what], answer: "{contact_mail} and { so"}') == [
        "a: answer: business.yml gives no {contact_mail} (did you mean {contact_email}?)",
        "a: answer: braces may only be around the name of a fact",
    ]


def test_ids_and_intents_are_unique_in_all_files(folder):
    (folder / "knowledge/also.yml").write_text(ENTRY)

    assert faults_in_knowledge(folder, ENTRY) == [
        f"parking: id: parking is taken already, in {folder / 'knowledge/also.yml'}: parking"
    ]


@pytest.mark.parametrize("text", ["just words", "a: mapping", "- [", "- {id: a"])
def test_knowledge_that_is_no_list_is_a_fault(folder, text):
    assert len(faults_in_knowledge(folder, text)) == 1


def test_every_fault_of_the_catalogue_is_named(folder):
    assert faults_in_catalogue(
        folder,
        """
- {sku: A, name: A, category: a, price: 1.005}
- {sku: B, name: B, category: a, price: cheap}
- {sku: C, name: C, category: a, price: 1, url: c.example, available: perhaps, taste: sweet}
- {sku: a, name: A, category: a, price: 1}
""",
    ) == [
        "A: price: 1.005 has more decimals than EUR has (2)",
        "B: price: 'cheap' is not an amount such as 2.50",
        "C: available: is not true or false",
        "C: url: 'c.example' is not a web address such as https://www.example.com/page",
        "C: taste: is not a setting; did you mean tags?",
        "a: sku: is taken already",
    ]


def test_the_first_reading_names_the_faults_of_all_files(tmp_path):
    with pytest.raises(ConfigError) as caught:
        ContentFiles(tmp_path / "knowledge", tmp_path / "catalogue.yml", FACTS)

    assert [fault.split(": ")[0] for fault in caught.value.faults] == [
        str(tmp_path / "knowledge"),
        str(tmp_path / "catalogue.yml"),
    ]


# Reading again


def test_unchanged_files_give_the_same_objects(content, clock):
    knowledge, catalogue = content.knowledge, content.catalogue

    clock.now += 10

    assert content.knowledge is knowledge
    assert content.catalogue is catalogue


def test_an_edit_is_seen_after_a_second(folder, content, clock):
    before = content.knowledge
    edit(folder / "knowledge/shop.yml", ENTRY.replace("Behind", "In front of"))
    edit(folder / "catalogue.yml", PRODUCT.replace("4.50", "5"))

    clock.now += 0.9
    assert content.knowledge is before
    clock.now += 0.1

    assert content.knowledge.entry("parking").answer.startswith("In front of")
    assert content.catalogue.product("TEA-1").price_minor == 500
    assert before.entry("parking").answer.startswith("Behind")


def test_a_new_file_and_a_deleted_one_are_seen(folder, content, clock):
    edit(folder / "knowledge/more.yml", ENTRY.replace("parking", "bikes"))
    (folder / "knowledge/shop.yml").unlink()

    clock.now += 1

    assert [entry.id for entry in content.knowledge.entries] == ["bikes"]


def test_an_edit_with_a_fault_is_logged_and_changes_nothing(folder, content, clock, caplog):
    before = content.knowledge
    edit(folder / "knowledge/shop.yml", "- {id: parking}")
    clock.now += 1

    with caplog.at_level(logging.WARNING):
        assert content.knowledge is before
        clock.now += 1
        assert content.knowledge is before

    assert [record.getMessage().split(": ")[1:3] for record in caplog.records] == [
        ["parking", "title"],
        ["parking", "ask"],
        ["parking", "answer"],
    ]
    edit(folder / "knowledge/shop.yml", ENTRY.replace("Behind", "Beside"))
    clock.now += 1
    assert content.knowledge.entry("parking").answer.startswith("Beside")


def test_a_catalogue_that_is_gone_stays_in_use(folder, content, clock):
    before = content.catalogue
    (folder / "catalogue.yml").unlink()

    clock.now += 1

    assert content.catalogue is before


# The demo shop


@pytest.fixture(scope="module")
def demo() -> ContentFiles:
    facts = load_business(ROOT / "business.yml").facts()
    return ContentFiles(ROOT / KNOWLEDGE_FOLDER, ROOT / CATALOGUE_FILE, facts)


def test_what_was_ordered_in_the_demo_shop_is_in_its_catalogue(demo):
    sold = {product.sku: (product.name, product.price_minor) for product in demo.catalogue.products}

    assert {sku: (title, price) for sku, title, price in PRODUCTS}.items() <= sold.items()
    assert load_business(ROOT / "business.yml").currency == CURRENCY
    assert len(sold) >= 24


ANSWERED_BY_KNOWLEDGE = {
    *("place_order", "check_cancellation_fee", "check_refund_policy", "check_payment_methods", "payment_issue"),
    *("use_promo_code", "delivery_options", "delivery_period", "create_account", "edit_account", "delete_account"),
    *("switch_account", "recover_password", "registration_problems", "newsletter_subscription", "unsubscribe"),
    *("privacy_request", "store_location", "explain_loyalty", "check_points", "redeem_points", "check_punch_card"),
    *("birthday_treat", "refer_friend", "gift_card", "contact_customer_service"),
}


def test_every_wish_that_knowledge_answers_has_an_entry(demo):
    assert {entry.intent for entry in demo.knowledge.entries if entry.intent} == ANSWERED_BY_KNOWLEDGE


def test_the_demo_shops_answers_are_short_and_complete(demo):
    for entry in demo.knowledge.entries:
        assert 40 < len(entry.answer) < 450, entry.id
        assert len(entry.ask) >= 5, entry.id


def test_no_two_entries_have_the_same_question(demo):
    asked = [question.lower() for entry in demo.knowledge.entries for question in entry.ask]

    assert sorted(asked) == sorted(set(asked))


def test_editing_knowledge_does_not_ask_for_a_new_model():
    makefile = (ROOT / "Makefile").read_text()
    recipe = re.search(r"^MODEL_INPUTS := .*?\$\(shell (find data [^)]*)\)", makefile, re.M)
    found = subprocess.run(recipe[1], shell=True, cwd=ROOT, capture_output=True, text=True).stdout.split()  # noqa: S602

    assert "data/nlu/shop.yml" in found
    assert [name for name in found if name.startswith("data/knowledge")] == []
