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

from bot.nlu.components import ENCODER, READ_TEXT, code_fingerprint
from bot.nlu.embedding import SentenceEncoderModel, Vectors
from bot.nlu.intent_model import Gate, name_in_words, training_examples
from bot.nlu.tuning import Tuning

EPOCHS = "epochs"
OUT_OF_SCOPE = "out_of_scope"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=True)
class SentenceEncoder(GraphComponent):
    """Dense sentence features from all-MiniLM-L6-v2, tuned on our own examples, int8, 384 numbers a message.

    Training tunes the installed weights, builds the encoder from them and keeps it in the Rasa model; serving reads it
    from there, and needs neither the weights nor TensorFlow nor onnx. When training, each intent's own name gets
    features too. The configuration: `epochs`, how often each example is shown when tuning (0: the weights stay as
    published), and `out_of_scope`, the intent whose name says nothing.
    """

    def __init__(self, config: dict[str, Any], name: str, encoder: SentenceEncoderModel | None) -> None:
        self._config = config
        self._name = name
        self._encoder = encoder

    @staticmethod
    def required_packages() -> list[str]:
        """Name the packages that serving imports."""
        return ["onnxruntime", "tokenizers"]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Return how the encoder is tuned."""
        return {EPOCHS: Tuning().epochs, OUT_OF_SCOPE: Gate().out_of_scope}

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
        component = cls(config, execution_context.node_name or cls.__name__, None)
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
            encoder = SentenceEncoderModel.from_folder(folder)
        return cls(config, execution_context.node_name or cls.__name__, encoder)

    def train(self, training_data: TrainingData) -> Resource:
        """Tune the encoder and build it into the model. Raises WeightsError when the weights are missing or altered."""
        from bot.nlu.training import build_encoder

        examples = [example for example in training_data.intent_examples if example.get(TEXT)]
        texts, intents = training_examples(
            [example.get(TEXT) for example in examples],
            [example.get(INTENT) for example in examples],
            self._config[OUT_OF_SCOPE],
        )
        with self._storage.write_to(self._resource) as folder:
            build_encoder(texts, intents, folder, Tuning(epochs=self._config[EPOCHS]))
        return self._resource

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Add features to every example's text and, once for each intent, to the intent's name."""
        self._encode(training_data.training_examples)
        intents = sorted({example.get(INTENT) for example in training_data.intent_examples})
        vectors = dict(zip(intents, self._loaded.encode([name_in_words(intent) for intent in intents]), strict=True))
        for example in training_data.intent_examples:
            self._add(example, INTENT, vectors[example.get(INTENT)])
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        """Add sentence features to the messages that have a text, and hand the encoder on with them."""
        for message in messages:
            message.set(ENCODER, self._loaded)
        return self._encode(messages)

    def _encode(self, messages: list[Message]) -> list[Message]:
        spoken = [message for message in messages if message.get(TEXT)]
        for message in spoken:
            message.set(READ_TEXT, self._loaded.read(message.get(TEXT)))
        vectors = self._loaded.encode([message.get(READ_TEXT) for message in spoken])
        for message, vector in zip(spoken, vectors, strict=True):
            self._add(message, TEXT, vector)
        return messages

    @property
    def _loaded(self) -> SentenceEncoderModel:
        if self._encoder is None:
            raise RuntimeError("The sentence encoder was asked to encode before it was trained.")
        return self._encoder

    def _add(self, message: Message, attribute: str, vector: Vectors) -> None:
        message.add_features(Features(vector[None, :], FEATURE_TYPE_SENTENCE, attribute, self._name))
