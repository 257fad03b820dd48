"""The Rasa component that turns messages into sentence vectors."""

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import FEATURE_TYPE_SENTENCE, INTENT, TEXT
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu.canonical import canonical
from bot.nlu.components import code_fingerprint
from bot.nlu.embedding import SentenceEncoderModel, Vectors
from bot.nlu.intent_model import name_in_words


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=True)
class SentenceEncoder(GraphComponent):
    """Dense sentence features from all-MiniLM-L6-v2, int8, 384 numbers a message.

    Training builds the encoder from the installed weights and keeps it in the Rasa model; serving reads it from there,
    and needs neither the weights nor onnx. When training, each intent's own name gets features too.
    """

    def __init__(self, name: str, encoder: SentenceEncoderModel | None) -> None:
        self._name = name
        self._encoder = encoder

    @staticmethod
    def required_packages() -> list[str]:
        """Name the packages that serving imports."""
        return ["onnxruntime", "tokenizers"]

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
    ) -> SentenceEncoder:
        """Return a component that can be trained."""
        component = cls(execution_context.node_name or cls.__name__, None)
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
    ) -> SentenceEncoder:
        """Return a component that can encode, from a trained model."""
        with model_storage.read_from(resource) as folder:
            return cls(execution_context.node_name or cls.__name__, SentenceEncoderModel.from_folder(folder))

    def train(self, training_data: TrainingData) -> Resource:
        """Build the encoder into the model. Raises WeightsError when the weights are missing or altered."""
        from bot.nlu import minilm

        with self._storage.write_to(self._resource) as folder:
            minilm.build_encoder(minilm.find_weights(), folder)
        return self._resource

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Add features to every example's text and, once for each intent, to the intent's name."""
        self.process(training_data.training_examples)
        intents = sorted({example.get(INTENT) for example in training_data.intent_examples})
        vectors = dict(zip(intents, self._encode([name_in_words(intent) for intent in intents]), strict=True))
        for example in training_data.intent_examples:
            self._add(example, INTENT, vectors[example.get(INTENT)])
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        """Add sentence features to the messages that have a text."""
        spoken = [message for message in messages if message.get(TEXT)]
        for message, vector in zip(spoken, self._encode([message.get(TEXT) for message in spoken]), strict=True):
            self._add(message, TEXT, vector)
        return messages

    def _encode(self, texts: list[str]) -> Vectors:
        if self._encoder is None:
            raise RuntimeError("The sentence encoder was asked to encode before it was trained.")
        return self._encoder.encode([canonical(text) for text in texts])

    def _add(self, message: Message, attribute: str, vector: Vectors) -> None:
        message.add_features(Features(vector[None, :], FEATURE_TYPE_SENTENCE, attribute, self._name))
