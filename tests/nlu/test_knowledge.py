"""Questions that the shop's knowledge answers: found, read again after an edit, and not taken for anything else."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.resource import Resource
from rasa.shared.exceptions import InvalidConfigException
from rasa.shared.nlu.training_data.message import Message

from bench.understanding_messages import load_shipped
from bot.content import KNOWLEDGE_FOLDER, LOOK_SECONDS, Watched, read_knowledge, watch_knowledge
from bot.core.knowledge import Knowledge
from bot.nlu.embedding import SentenceEncoderModel
from bot.nlu.intent_classifier import SIGNALS_KEY, SentenceIntentClassifier
from bot.nlu.intent_model import IntentModel
from bot.nlu.knowledge import KnowledgeFinder, KnowledgeIndex
from bot.nlu.sentence_encoder import SentenceEncoder

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "models" / "kasuki.tar.gz"

ENTRIES = """
- {id: parking, title: Parking, ask: [where can I park my car, is there a parking lot], answer: Behind the shop.}
- {id: wifi, title: Wifi, ask: [do you have wifi, is there internet at the cafe], answer: Yes.}
- {id: gifts, title: Gift cards, ask: [do you sell gift cards], answer: Yes., intent: gift_card}
"""
DOGS = "- {id: dogs, title: Dogs, ask: [can I bring my dog], answer: Outside only.}\n"


class Clock:
    """Goes only when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class CountingEncoder(SentenceEncoderModel):
    """Counts what it encodes."""

    encoded: list[str]

    def encode(self, texts: Any) -> Any:
        self.encoded += texts
        return super().encode(texts)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shop.yml").write_text(ENTRIES)
    return tmp_path


@pytest.fixture
def clock() -> Clock:
    return Clock()


def finder(watched: Watched[Knowledge] | None, **config: Any) -> KnowledgeFinder:
    return KnowledgeFinder({**KnowledgeFinder.get_default_config(), **config}, watched)


def ask(
    component: KnowledgeFinder,
    encoder: SentenceEncoderModel,
    text: str,
    intent: str = "out_of_scope",
    score: float = 0.3,
) -> dict[str, Any]:
    """What comes out for a message understood as an intent with the gate's score, and is half strange when refused."""
    (message,) = SentenceEncoder({}, "encoder", encoder).process([Message({"text": text})])
    message.set("intent", {"name": intent, "confidence": score}, add_to_output=True)
    message.set("intent_ranking", [{"name": intent, "confidence": 0.5}], add_to_output=True)
    message.set(SIGNALS_KEY, {"score": score, "refused": intent == "out_of_scope"}, add_to_output=True)
    (message,) = component.process([message])
    parsed: dict[str, Any] = message.as_dict(only_output_properties=True)
    return parsed


# What is found


def test_a_refused_message_near_an_entry_becomes_a_question_for_it(folder, encoder):
    parsed = ask(finder(watch_knowledge(folder)), encoder, "where do I park the car")

    assert parsed["intent"]["name"] == "ask_knowledge"
    assert parsed["knowledge"]["id"] == parsed["knowledge"]["nearest"] == "parking"
    assert (
        parsed["intent"]["confidence"]
        == parsed["knowledge"]["similarity"]
        > parsed["knowledge"]["second"]["similarity"]
    )


def test_a_refused_message_near_an_entry_of_an_intent_is_answered_as_well(folder, encoder):
    parsed = ask(finder(watch_knowledge(folder)), encoder, "do you sell a gift card")

    assert (parsed["intent"]["name"], parsed["knowledge"]["id"]) == ("ask_knowledge", "gifts")


def test_a_message_that_resembles_nothing_stays_refused(folder, encoder):
    parsed = ask(finder(watch_knowledge(folder)), encoder, "who won the election")

    assert (parsed["intent"]["name"], parsed["knowledge"]["id"]) == ("out_of_scope", None)
    assert parsed["knowledge"]["nearest"] is not None


def test_the_stranger_a_message_is_the_nearer_it_must_be(folder, encoder):
    found = [
        ask(finder(watch_knowledge(folder), strangeness_weight=weight), encoder, "parking a car")["knowledge"]["id"]
        for weight in (0.3, 1.5)
    ]

    assert found == ["parking", None]


def test_an_entry_wins_over_an_intent_only_with_more_evidence(folder, encoder):
    component = finder(watch_knowledge(folder))

    assert ask(component, encoder, "is there wifi", "store_location", 0.5)["intent"]["name"] == "ask_knowledge"
    assert ask(component, encoder, "is there wifi", "store_location", 0.99)["intent"]["name"] == "store_location"


def test_an_entry_of_one_intent_never_wins_over_another_intent(folder, encoder):
    parsed = ask(finder(watch_knowledge(folder)), encoder, "do you sell gift cards", "product_availability", 0.5)

    assert parsed["intent"]["name"] == "product_availability"


def test_a_question_that_was_understood_as_one_needs_less_evidence(folder, encoder):
    component = finder(watch_knowledge(folder), threshold=0.9, floor=0.3)

    assert ask(component, encoder, "internet please", "ask_knowledge", 0.6)["knowledge"]["id"] == "wifi"
    assert ask(component, encoder, "internet please")["knowledge"]["id"] is None


def test_a_message_without_words_finds_nothing(folder, encoder):
    parsed = ask(finder(watch_knowledge(folder)), encoder, "")

    assert parsed["knowledge"] == {"id": None, "similarity": 0.0, "nearest": None, "second": None}


# Edits


def test_a_new_entry_is_found_without_training(folder, clock, encoder):
    component = finder(watch_knowledge(folder, clock=clock))
    assert ask(component, encoder, "may I bring my dog")["knowledge"]["id"] is None

    (folder / "dogs.yml").write_text(DOGS)
    clock.now += LOOK_SECONDS

    assert ask(component, encoder, "may I bring my dog")["knowledge"]["id"] == "dogs"


def test_a_broken_edit_keeps_what_was_there(folder, clock, encoder):
    component = finder(watch_knowledge(folder, clock=clock))

    (folder / "shop.yml").write_text("- {id: parking}")
    os.utime(folder / "shop.yml", (1, 1))
    clock.now += LOOK_SECONDS

    assert ask(component, encoder, "where do I park the car")["knowledge"]["id"] == "parking"


def test_after_an_edit_only_new_sentences_are_encoded(folder, encoder_folder):
    encoder = CountingEncoder.from_folder(encoder_folder)
    encoder.encoded = []
    index, vector = KnowledgeIndex(), encoder.encode(["where do I park"])[0]
    index.similarities(vector, read_knowledge(folder), encoder)
    (folder / "dogs.yml").write_text(DOGS)
    encoder.encoded = []

    index.similarities(vector, read_knowledge(folder), encoder)

    assert encoder.encoded == ["Dogs", "can I bring my dog"]


def test_another_encoder_starts_afresh(folder, encoder_folder):
    first, second = (SentenceEncoderModel.from_folder(encoder_folder) for _ in range(2))
    index, knowledge = KnowledgeIndex(), read_knowledge(folder)
    vector = first.encode(["where can I park my car"])[0]

    assert index.similarities(vector, knowledge, first) == index.similarities(vector, knowledge, second)


# Faults


@pytest.mark.parametrize("text", [None, "- {id: parking}"])
def test_knowledge_that_cannot_be_read_at_the_start_is_logged_and_finds_nothing(tmp_path, encoder, caplog, text):
    if text:
        (tmp_path / "shop.yml").write_text(text)
    config = {**KnowledgeFinder.get_default_config(), "folder": str(tmp_path if text else tmp_path / "none")}
    context = ExecutionContext(GraphSchema({}), node_name="node")

    component = KnowledgeFinder.create(config, None, Resource("none"), context)  # type: ignore[arg-type]

    assert ask(component, encoder, "where can I park")["intent"]["name"] == "out_of_scope"
    assert caplog.records


@pytest.mark.parametrize("config", [{"threshold": 1.5}, {"floor": -0.1}, {"lead": -2}, {"strangeness_weight": -1}])
def test_a_rule_that_cannot_work_is_refused(config):
    with pytest.raises(InvalidConfigException, match="KnowledgeFinder"):
        KnowledgeFinder.validate_config(config)


# The shipped model, on sentences that nothing was learned from


Parse = dict[str, Any]


def read_tsv(name: str) -> list[tuple[str, str]]:
    lines = (ROOT / "tests" / "nlu" / name).read_text(encoding="utf-8").splitlines()
    return [(label, text) for label, _, text in (line.partition("\t") for line in lines)]


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> tuple[SentenceEncoderModel, IntentModel]:
    return load_shipped(MODEL, tmp_path_factory.mktemp("shipped"))


@pytest.fixture(scope="module")
def parse(shipped: tuple[SentenceEncoderModel, IntentModel]) -> Iterator[Any]:
    """Parses as the pipeline does: the intent before the finder, and everything after it."""
    encoder, model = shipped
    config = {**SentenceIntentClassifier.get_default_config(), **asdict(model.gate)}
    before = (SentenceEncoder({}, "encoder", encoder), SentenceIntentClassifier(config, model))
    component = finder(watch_knowledge(ROOT / KNOWLEDGE_FOLDER))

    def parse_one(text: str) -> tuple[str, Parse]:
        messages = [Message({"text": text})]
        for earlier in before:
            messages = earlier.process(messages)
        intent = messages[0].get("intent")["name"]
        return intent, component.process(messages)[0].as_dict(only_output_properties=True)

    yield parse_one


@pytest.mark.model
def test_paraphrases_that_the_rule_was_not_chosen_on_find_their_entry(parse):
    paraphrases = read_tsv("held_out_knowledge.tsv")[1::2]

    nearest = [parse(text)[1]["knowledge"]["nearest"] == entry for entry, text in paraphrases]

    assert sum(nearest) / len(nearest) >= 0.8


@pytest.mark.model
def test_most_paraphrases_are_answered_by_their_entry(parse):
    knowledge = read_knowledge(ROOT / KNOWLEDGE_FOLDER)
    answered = []
    for entry, text in read_tsv("held_out_knowledge.tsv")[1::2]:
        _, parsed = parse(text)
        intent = parsed["intent"]["name"]
        reached = intent == "ask_knowledge" or knowledge.answer_to(intent) is not None
        answered.append(reached and parsed["knowledge"]["id"] == entry)

    assert sum(answered) / len(answered) >= 0.7


@pytest.mark.model
def test_wishes_keep_their_intents(parse):
    wishes = [(intent, text) for intent, text in read_tsv("held_out.tsv") if intent != "out_of_scope"]

    taken = [
        text for wish, text in wishes for before, parsed in [parse(text)] if before == wish != parsed["intent"]["name"]
    ]

    assert len(taken) < 0.01 * len(wishes), taken


@pytest.mark.model
def test_little_of_what_is_none_of_ours_is_answered(parse):
    strange = [text for intent, text in read_tsv("held_out.tsv") if intent == "out_of_scope"]

    answered = [
        text
        for text in strange
        for before, parsed in [parse(text)]
        if before == "out_of_scope" != parsed["intent"]["name"]
    ]

    assert len(answered) < 0.08 * len(strange), answered


@pytest.mark.model
def test_every_way_to_ask_finds_its_own_entry(parse):
    knowledge = read_knowledge(ROOT / KNOWLEDGE_FOLDER)
    asked = [(entry.id, text) for entry in knowledge.entries for text in entry.ask]
    some = random.Random(0).sample(asked, 100)

    assert [text for entry, text in some if parse(text)[1]["knowledge"]["nearest"] != entry] == []


def test_the_paraphrases_are_no_ways_to_ask():
    knowledge = read_knowledge(ROOT / KNOWLEDGE_FOLDER)
    known = {text.lower() for entry in knowledge.entries for text in (entry.title, *entry.ask)}
    paraphrases = read_tsv("held_out_knowledge.tsv")

    assert [text for _, text in paraphrases if text.lower() in known] == []
    without_intent = {entry.id for entry in knowledge.entries if entry.intent is None}
    assert {entry for entry, _ in paraphrases} == without_intent
    assert all(sum(entry == one for entry, _ in paraphrases) >= 4 for one in without_intent)
