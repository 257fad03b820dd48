"""The training examples in `data/nlu` and the held-out sentences: enough of each, and never the same."""

from collections import Counter
from pathlib import Path

import yaml

from bot.nlu.canonical import canonical

ROOT = Path(__file__).parents[2]
Pairs = list[tuple[str, str]]


def training_examples() -> Pairs:
    pairs = []
    for path in sorted((ROOT / "data" / "nlu").glob("*.yml")):
        for block in yaml.safe_load(path.read_text(encoding="utf-8"))["nlu"]:
            pairs += [(block["intent"], line.removeprefix("- ")) for line in block["examples"].splitlines()]
    return pairs


def held_out() -> Pairs:
    lines = (ROOT / "tests" / "nlu" / "held_out.tsv").read_text(encoding="utf-8").splitlines()
    return [(intent, text) for intent, _, text in (line.partition("\t") for line in lines)]


def as_read(text: str) -> str:
    """The text as far as the classifier can tell it from another."""
    return " ".join(canonical(text).lower().split())


def test_every_intent_has_enough_examples_and_held_out_sentences() -> None:
    examples = Counter(intent for intent, _ in training_examples())
    sentences = Counter(intent for intent, _ in held_out())

    assert examples.keys() == sentences.keys()
    assert min(examples.values()) >= 25
    assert min(sentences.values()) >= 10
    assert sentences["out_of_scope"] >= 300


def test_the_domain_lists_the_intents_that_have_examples() -> None:
    domain = yaml.safe_load((ROOT / "domain.yml").read_text(encoding="utf-8"))

    assert {intent for intent, _ in training_examples()} == set(domain["intents"])


def test_no_example_stands_twice() -> None:
    times = Counter(as_read(text) for _, text in training_examples())

    assert [text for text, count in times.items() if count > 1] == []


def test_no_held_out_sentence_is_also_a_training_example() -> None:
    learned = {as_read(text) for _, text in training_examples()}

    assert [text for _, text in held_out() if as_read(text) in learned] == []
