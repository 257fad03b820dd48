"""Products of the catalogue, by every name that customers give them, also misspelt."""

import time

import pytest

from bot.core.catalogue import Catalogue, Product
from bot.nlu.details import DetailFinder

PRODUCTS = [
    Product("BENGUET", "Benguet Arabica, 250 g", "beans", 1_450, aliases=("benguet",)),
    Product("BARAKO", "Batangas Barako, 250 g", "beans", 1_200, aliases=("kapeng barako", "liberica")),
    Product("SAGADA-250", "Sagada medium roast, 250 g", "beans", 1_390, aliases=("sagada",)),
    Product("SAGADA-1000", "Sagada medium roast, 1 kg", "beans", 4_800, aliases=("sagada",)),
    Product("ESPRESSO", "Espresso", "at the counter", 220),
    Product("BLEND", "Tala espresso blend, 250 g", "beans", 1_350),
    Product("COLD-BREW", "Cold brew, 500 ml", "ready to drink", 650),
    Product("TABLEA", "Tablea hot chocolate", "at the counter", 300, aliases=("tablea",)),
    Product("CAPPUCCINO", "Cappuccino", "at the counter", 340, aliases=("cappucino", "capuccino")),
    Product("MUG-PAROL", "Parol mug, 350 ml", "mugs", 1_800),
    Product("MUG-JEEPNEY", "Jeepney mug, 350 ml", "mugs", 1_800),
    Product("POUR-OVER", "Pour-over set", "gear", 3_400, aliases=("v60",)),
    Product("GRINDER", "Hand grinder", "gear", 6_500),
    Product("FILTERS", "Paper filters, 100 pieces", "gear", 690),
    Product("SCALE", "Coffee scale with timer", "gear", 2_500),
]


def finder_of(*products: Product) -> DetailFinder:
    catalogue = Catalogue(products)
    return DetailFinder(catalogue=lambda: catalogue)


@pytest.fixture(scope="module")
def finder() -> DetailFinder:
    return finder_of(*PRODUCTS)


def products(finder: DetailFinder, text: str) -> list[str | int]:
    return [detail.value for detail in finder.find(text) if detail.kind == "product"]


@pytest.mark.parametrize(
    ("text", "sku"),
    [
        ("Benguet Arabica, 250 g", "BENGUET"), ("benget arabica", "BENGUET"), ("any benget left?", "BENGUET"),
        ("beguet", "BENGUET"), ("barako", "BARAKO"), ("baraco", "BARAKO"), ("barkao", "BARAKO"),
        ("BATANGAS BARAKO", "BARAKO"), ("kapeng baraco", "BARAKO"), ("librica", "BARAKO"),
        ("parol mugs", "MUG-PAROL"), ("parrol mug", "MUG-PAROL"), ("the Parol-mug", "MUG-PAROL"),
        ("hand grindr", "GRINDER"), ("my grinder broke", "GRINDER"), ("grinders", "GRINDER"), ("gridner", "GRINDER"),
        ("cold brew", "COLD-BREW"), ("two cold brews", "COLD-BREW"), ("coldbrew", "COLD-BREW"),
        ("cold brw", "COLD-BREW"), ("pour over set", "POUR-OVER"), ("pour-over", "POUR-OVER"),
        ("pourover set", "POUR-OVER"), ("a V60", "POUR-OVER"), ("filters", "FILTERS"), ("paper filter", "FILTERS"),
        ("a scale", "SCALE"), ("capucino", "CAPPUCCINO"), ("espresso", "ESPRESSO"), ("espresso blend", "BLEND"),
        ("sagada 1 kg", "SAGADA-1000"), ("250g of the sagada", "SAGADA-250"), ("tablea", "TABLEA"),
    ],
)  # fmt: skip
def test_a_product_is_known_by_its_names_also_misspelt(finder: DetailFinder, text: str, sku: str) -> None:
    assert products(finder, text) == [sku]


@pytest.mark.parametrize(
    "text",
    [
        "a mug", "beans", "coffee", "sagada", "sagada 500 g", "a bug", "brew", "could brew", "old crew", "chocolate",
        "set up my address", "the coffee is stale", "the tables", "express shipping", "on paper", "a timer",
        "by hand", "the roast is too dark", "mugs", "is it cold", "gold card", "", "banquet", "grinding",
    ],
)  # fmt: skip
def test_what_fits_several_products_or_none_is_no_product(finder: DetailFinder, text: str) -> None:
    assert products(finder, text) == []


def test_a_word_of_many_names_means_the_product_when_there_is_only_one() -> None:
    only_mug = finder_of(*(product for product in PRODUCTS if product.sku != "MUG-JEEPNEY"))

    assert products(only_mug, "is the mug back?") == ["MUG-PAROL"]


def test_the_longest_name_holds(finder: DetailFinder) -> None:
    assert products(finder, "barako and the tala espresso blend") == ["BARAKO", "BLEND"]


def test_the_place_of_a_product_is_where_it_was_written(finder: DetailFinder) -> None:
    text = "got the pour-ovr set?"

    (detail,) = finder.find(text)

    assert text[detail.start : detail.end] == "pour-ovr set"


def test_an_edited_catalogue_is_known_at_the_next_message() -> None:
    catalogue = Catalogue(PRODUCTS[:2])
    finder = DetailFinder(catalogue=lambda: catalogue)
    assert products(finder, "a gooseneck kettle") == []

    catalogue = Catalogue([Product("KETTLE", "Gooseneck kettle", "gear", 5_000)])

    assert products(finder, "a goosneck kettle, or barako") == ["KETTLE"]


def test_a_large_catalogue_is_searched_quickly() -> None:
    letters = "bcdfghjklm"
    names = [f"{a}o{b}a{c}ino" for a in letters for b in letters for c in letters]
    finder = finder_of(*(Product(f"P{at}", f"Kape {name}, 250 g", "beans", 100) for at, name in enumerate(names)))

    def seconds() -> float:
        started = time.thread_time()
        finder.find("hi, do you still have kape bobabinoo and is it any good with oat milk?")
        return time.thread_time() - started

    assert min(seconds() for _ in range(3)) < 0.05
