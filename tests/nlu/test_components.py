"""The Rasa components: trained, stored, loaded and asked, as Rasa does it."""

from typing import Any

import pytest
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.exceptions import InvalidConfigException
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu.entities import DetailExtractor
from bot.nlu.intent_classifier import SentenceIntentClassifier
from bot.nlu.sentence_encoder import SentenceEncoder

EXAMPLES = {
    "track_order": ["where is my order", "when does my parcel arrive", "track TC-10002", "has it shipped yet"],
    "greet": ["hello", "hi there", "good morning", "hey"],
    "out_of_scope": ["tell me a joke", "who is the president", "asdf qwer", "book a taxi"],
}


def training_data() -> TrainingData:
    messages = [Message({"text": text, "intent": intent}) for intent, texts in EXAMPLES.items() for text in texts]
    return TrainingData([*messages, Message({"action_name": "action_listen"})])


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, ...]:
    """The arguments from which both trained components can be loaded, and their resources."""
    storage = LocalModelStorage(tmp_path_factory.mktemp("model"))
    context = ExecutionContext(GraphSchema({}), node_name="node")
    examples = training_data()
    encoder = SentenceEncoder.create(SentenceEncoder.get_default_config(), storage, Resource("encoder"), context)
    encoder_resource = encoder.train(examples)
    SentenceEncoder.load({}, storage, encoder_resource, context).process_training_data(examples)
    config = SentenceIntentClassifier.get_default_config()
    classifier_resource = SentenceIntentClassifier.create(config, storage, Resource("intents"), context).train(examples)
    return storage, context, encoder_resource, classifier_resource


def parse(trained: tuple[Any, ...], text: str | None, **config: Any) -> dict[str, Any]:
    storage, context, encoder_resource, classifier_resource = trained
    encoder = SentenceEncoder.load({}, storage, encoder_resource, context)
    classifier = SentenceIntentClassifier.load(
        {**SentenceIntentClassifier.get_default_config(), **config}, storage, classifier_resource, context
    )
    extractor = DetailExtractor.create(DetailExtractor.get_default_config(), storage, Resource("details"), context)
    messages = [Message({"text": text} if text is not None else {})]
    for component in (extractor, encoder, classifier):
        messages = component.process(messages)
    parsed: dict[str, Any] = messages[0].as_dict(only_output_properties=True)
    return parsed


def test_a_message_is_given_its_intent_its_entities_and_the_signals(trained: tuple[Any, ...]) -> None:
    parsed = parse(trained, "hey where is tc 10002??")

    assert parsed["intent"]["name"] == parsed["intent_ranking"][0]["name"] == "track_order"
    assert set(parsed["intent_signals"]) == {"confidence", "margin", "similarity", "score", "refused"}
    assert parsed["entities"] == [
        {
            "entity": "order_number", "value": "TC-10002", "start": 13, "end": 21, "confidence": 1.0,
            "extractor": "DetailExtractor",
        }
    ]  # fmt: skip


def test_a_stricter_gate_needs_no_new_training(trained: tuple[Any, ...]) -> None:
    parsed = parse(trained, "where is my order", threshold=1.0)

    assert parsed["intent"]["name"] == "out_of_scope" and parsed["intent_signals"]["refused"]
    assert parsed["intent_ranking"][0]["name"] == "track_order"


@pytest.mark.parametrize("text", [None, "", " ", "\ud800"])
def test_a_message_without_words_is_out_of_scope(trained: tuple[Any, ...], text: str | None) -> None:
    assert parse(trained, text)["intent"]["name"] == "out_of_scope"


@pytest.mark.parametrize("config", [{"threshold": 1.5}, {"similarity_weight": -1.0}])
def test_a_gate_that_cannot_work_is_refused(config: dict[str, float]) -> None:
    with pytest.raises(InvalidConfigException, match="SentenceIntentClassifier"):
        SentenceIntentClassifier.validate_config(config)
