"""The Rasa component that names a message's intent, or says that it is none of ours."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.exceptions import InvalidConfigException
from rasa.shared.nlu.constants import (
    INTENT,
    INTENT_NAME_KEY,
    INTENT_RANKING_KEY,
    PREDICTED_CONFIDENCE_KEY,
    TEXT,
)
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu.canonical import canonical
from bot.nlu.components import READ_TEXT, code_fingerprint
from bot.nlu.embedding import DIMENSIONS, Vectors
from bot.nlu.intent_model import Gate, IntentModel, Prediction, name_in_words

SIGNALS_KEY = "intent_signals"
RANKING_LENGTH = "ranking_length"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class SentenceIntentClassifier(GraphComponent, IntentClassifier):
    """Intents by logistic regression on sentence vectors and character n-grams, with a gate for what is out of scope.

    The configuration is the gate's (see `bot.nlu.intent_model.Gate`) and `ranking_length`. It may be changed without
    changing what was learned. What the gate looked at is in the message's property `intent_signals`.
    """

    def __init__(self, config: dict[str, Any], model: IntentModel | None) -> None:
        self._ranking_length: int = config[RANKING_LENGTH]
        self._gate = _gate(config)
        self._model = model

    @staticmethod
    def required_packages() -> list[str]:
        """Name the packages that serving imports."""
        return ["numpy"]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Return the gate's defaults and how many intents the ranking shows."""
        return {**asdict(Gate()), RANKING_LENGTH: 10}

    @classmethod
    def validate_config(cls, config: dict[str, Any]) -> None:
        """Raise InvalidConfigException when the gate cannot work."""
        _gate({**cls.get_default_config(), **config})

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str | None:
        """Train again when the code behind this component has changed."""
        return code_fingerprint()

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> SentenceIntentClassifier:
        """Return a component that can be trained."""
        component = cls(config, None)
        component._storage, component._resource = model_storage, resource
        return component

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> SentenceIntentClassifier:
        """Return a component that can classify, from a trained model."""
        with model_storage.read_from(resource) as folder:
            return cls(config, IntentModel.load(folder, _gate(config)))

    def train(self, training_data: TrainingData) -> Resource:
        """Learn from the examples, with each intent's own name as one more example of it, and store the result."""
        examples = [example for example in training_data.intent_examples if example.get(TEXT)]
        names = {example.get(INTENT): _vector(example, INTENT) for example in examples}
        names.pop(self._gate.out_of_scope, None)
        texts = [canonical(example.get(TEXT)) for example in examples] + [name_in_words(name) for name in names]
        vectors = np.stack([*(_vector(example, TEXT) for example in examples), *names.values()])
        intents = [*(example.get(INTENT) for example in examples), *names]
        model = IntentModel.fit(texts, vectors, intents, self._gate)
        with self._storage.write_to(self._resource) as folder:
            model.save(folder)
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Set each message's intent, ranking and signals."""
        if self._model is None:
            raise RuntimeError("The intent classifier was asked for an intent before it was trained.")
        for message in messages:
            text = message.get(READ_TEXT) or ""
            self._set(message, self._model.predict(text, _vector(message, TEXT)))
        return messages

    def _set(self, message: Message, prediction: Prediction) -> None:
        ranking = [_scored(*pair) for pair in prediction.ranking[: self._ranking_length]]
        message.set(INTENT, _scored(prediction.intent, prediction.confidence), add_to_output=True)
        message.set(INTENT_RANKING_KEY, ranking, add_to_output=True)
        message.set(SIGNALS_KEY, {**asdict(prediction.signals), "refused": prediction.refused}, add_to_output=True)


def _gate(config: dict[str, Any]) -> Gate:
    gate = Gate(**{field.name: config[field.name] for field in fields(Gate)})
    weights = (gate.confidence_weight, gate.margin_weight, gate.similarity_weight)
    if not 0 <= gate.threshold <= 1 or min(weights) < 0 or sum(weights) <= 0:
        raise InvalidConfigException(
            "SentenceIntentClassifier: the threshold must be from 0 to 1, no weight below 0, and one weight above 0."
        )
    return gate


def _vector(message: Message, attribute: str) -> Vectors:
    """The sentence vector that the encoder put on the message; zeros for a message without a text."""
    _, features = message.get_dense_features(attribute)
    if features is None:
        if message.get(attribute):
            raise InvalidConfigException("SentenceIntentClassifier needs SentenceEncoder before it in the pipeline.")
        return np.zeros(DIMENSIONS, dtype=np.float32)
    vector: Vectors = features.features[-1]
    return vector


def _scored(name: str, confidence: float) -> dict[str, Any]:
    return {INTENT_NAME_KEY: name, PREDICTED_CONFIDENCE_KEY: confidence}
