"""The Rasa component that finds what the shop's knowledge says to a message."""

from __future__ import annotations

import logging
import re
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.exceptions import InvalidConfigException
from rasa.shared.nlu.constants import (
    ENTITIES,
    ENTITY_ATTRIBUTE_TYPE,
    INTENT,
    INTENT_NAME_KEY,
    INTENT_RANKING_KEY,
    PREDICTED_CONFIDENCE_KEY,
    TEXT,
)
from rasa.shared.nlu.training_data.message import Message

from bot.content import Watched, shop_files, watch_knowledge
from bot.core.knowledge import Knowledge, KnowledgeEntry
from bot.core.wishes import ASK_KNOWLEDGE, TASKS
from bot.errors import ConfigError
from bot.nlu.components import ENCODER
from bot.nlu.embedding import SentenceEncoderModel, Vectors
from bot.nlu.intent_classifier import SIGNALS_KEY
from bot.nlu.intent_model import Gate

KNOWLEDGE_KEY = "knowledge"
FOLDER = "folder"
OUT_OF_SCOPE = "out_of_scope"

# Who names one of these asks about their own affairs, and not in general.
_PERSONAL = frozenset({"order_number", "email"})
_PRODUCT = "product"
_QUESTION = re.compile(r"(?:do|does|is|are|how|what|which|when|until when|who|must|should)\b", re.IGNORECASE)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rule:
    """When a message counts as a question that the knowledge answers, by its similarity to the nearest way to ask.

    What was refused as out of scope is answered when the similarity, less `strangeness_weight` times the classifier's
    probability of out-of-scope, reaches `threshold`; the similarity alone depends more on how the encoder was tuned. An
    entry wins over an intent when its similarity is above the gate's score for that intent by `lead`, or reaches
    `sure` for a question, or for what is nearer than any example. Only that beats a wish of several steps. One that
    belongs to an intent never wins, and none where the message names an order or an address. Where it names a product,
    only `sure` counts. From `floor` on, the nearest entry answers what was understood as one of ours.
    The defaults were chosen on half of tests/nlu/held_out_knowledge.tsv and two models; the other half is for testing.
    """

    threshold: float = 0.5
    strangeness_weight: float = 0.3
    floor: float = 0.4
    lead: float = 0.05
    sure: float = 0.9


class KnowledgeIndex:
    """The ways to ask, as vectors. After an edit, only the new ones are encoded."""

    def __init__(self) -> None:
        self._knowledge: Knowledge | None = None
        self._encoder: SentenceEncoderModel | None = None
        self._known: dict[str, Vectors] = {}
        self._vectors: Vectors = np.zeros((0, 0), dtype=np.float32)
        self._owners: list[int] = []

    def similarities(self, vector: Vectors, knowledge: Knowledge, encoder: SentenceEncoderModel) -> list[float]:
        """How near a message is to each entry: the cosine to the entry's nearest way to ask, or to its title."""
        if encoder is not self._encoder:
            self._encoder, self._known, self._knowledge = encoder, {}, None
        if knowledge is not self._knowledge:
            self._take(knowledge, encoder)
        nearest = np.full(len(knowledge.entries), -1.0, dtype=np.float32)
        if self._owners:
            np.maximum.at(nearest, self._owners, self._vectors @ vector)
        return [float(one) for one in nearest]

    def _take(self, knowledge: Knowledge, encoder: SentenceEncoderModel) -> None:
        asked = [(number, ask) for number, entry in enumerate(knowledge.entries) for ask in (entry.title, *entry.ask)]
        texts = list(dict.fromkeys(ask for _, ask in asked))
        new = [text for text in texts if text not in self._known]
        encoded = dict(zip(new, encoder.encode([encoder.read(text) for text in new]), strict=True))
        self._known = {text: encoded[text] if text in encoded else self._known[text] for text in texts}
        self._owners = [number for number, _ in asked]
        self._vectors = np.stack([self._known[ask] for _, ask in asked]) if asked else self._vectors
        self._knowledge = knowledge


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class KnowledgeFinder(GraphComponent):
    """Names the entry that answers a message, and turns what nothing else understood into a question for it.

    Comes after SentenceIntentClassifier. Sets the message's property `knowledge`: `id`, the entry that answers, or null
    when none is near enough; `nearest`, the nearest entry, and its `similarity`; `second`, the next one. The
    intent becomes `ask_knowledge` by the rule of `Rule`, which is the configuration, beside `folder`. An edited file is
    read again while serving; files with a fault are logged, and change nothing.
    """

    def __init__(self, config: dict[str, Any], watched: Watched[Knowledge] | None) -> None:
        self._rule = _rule(config)
        self._out_of_scope: str = config[OUT_OF_SCOPE]
        self._watched = watched
        self._index = KnowledgeIndex()

    @staticmethod
    def required_packages() -> list[str]:
        """Name the packages that serving imports."""
        return ["numpy"]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Return the rule's defaults and where the knowledge is."""
        return {**asdict(Rule()), FOLDER: None, OUT_OF_SCOPE: Gate().out_of_scope}

    @classmethod
    def validate_config(cls, config: dict[str, Any]) -> None:
        """Raise InvalidConfigException when the rule cannot work."""
        _rule({**cls.get_default_config(), **config})

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> KnowledgeFinder:
        """Return a component that finds what is in the folder, or nothing where that cannot be read."""
        try:
            return cls(config, watch_knowledge(Path(config[FOLDER] or shop_files.get().knowledge)))
        except ConfigError as error:
            # Not fatal here: who starts the service has the content checked, with the same faults.
            for fault in error.faults:
                log.warning("%s (so nothing is found)", fault)
            return cls(config, None)

    def process(self, messages: list[Message]) -> list[Message]:
        """Set each message's `knowledge` and, by the rule, its intent."""
        knowledge = self._watched.current if self._watched else Knowledge()
        for message in messages:
            self._set(message, self._rank(message, knowledge))
        return messages

    def _set(self, message: Message, ranked: list[tuple[KnowledgeEntry, float]]) -> None:
        best, similarity = ranked[0] if ranked else (None, 0.0)
        wins = best is not None and self._wins(best, similarity, message)
        answers = wins or (similarity >= self._rule.floor and not self._refused(message))
        found = {
            "id": best.id if best is not None and answers else None,
            "similarity": similarity,
            "nearest": best.id if best is not None else None,
            "second": {"id": ranked[1][0].id, "similarity": ranked[1][1]} if len(ranked) > 1 else None,
        }
        message.set(KNOWLEDGE_KEY, found, add_to_output=True)
        if wins:
            intent = {INTENT_NAME_KEY: ASK_KNOWLEDGE, PREDICTED_CONFIDENCE_KEY: min(similarity, 1.0)}
            message.set(INTENT, intent, add_to_output=True)

    def _rank(self, message: Message, knowledge: Knowledge) -> list[tuple[KnowledgeEntry, float]]:
        encoder = message.get(ENCODER)
        _, features = message.get_dense_features(TEXT)
        if features is None or not knowledge.entries:
            return []
        if encoder is None:
            raise InvalidConfigException("KnowledgeFinder needs SentenceEncoder before it in the pipeline.")
        similarities = self._index.similarities(features.features[-1], knowledge, encoder)
        return sorted(zip(knowledge.entries, similarities, strict=True), key=lambda pair: -pair[1])

    def _wins(self, entry: KnowledgeEntry, similarity: float, message: Message) -> bool:
        rule = self._rule
        named = {entity[ENTITY_ATTRIBUTE_TYPE] for entity in message.get(ENTITIES) or []}
        if _PRODUCT in named:
            return entry.intent is None and similarity >= rule.sure
        if self._refused(message):
            ranking = message.get(INTENT_RANKING_KEY) or []
            scores = {one[INTENT_NAME_KEY]: one[PREDICTED_CONFIDENCE_KEY] for one in ranking}
            strangeness: float = scores.get(self._out_of_scope, 0.0)
            return similarity - rule.strangeness_weight * strangeness >= rule.threshold
        if named & _PERSONAL:
            return False
        signals = message.get(SIGNALS_KEY) or {}
        is_nearest = similarity >= signals.get("similarity", 0.0)
        if entry.intent is None and similarity >= rule.sure and (is_nearest or _asks(message.get(TEXT))):
            return True
        if (message.get(INTENT) or {}).get(INTENT_NAME_KEY) in TASKS:
            return False
        score: float = signals.get("score", 0.0)
        return entry.intent is None and similarity >= max(score + rule.lead, rule.floor)

    def _refused(self, message: Message) -> bool:
        intent = (message.get(INTENT) or {}).get(INTENT_NAME_KEY)
        return intent is None or intent == self._out_of_scope


def _asks(text: str) -> bool:
    """Whether it is worded as a question: "do I need the box to send it back" wishes for nothing yet."""
    return _QUESTION.match(text.strip()) is not None


def _rule(config: dict[str, Any]) -> Rule:
    rule = Rule(**{field.name: config[field.name] for field in fields(Rule)})
    if not (
        0 <= min(rule.threshold, rule.floor, rule.sure)
        and max(rule.threshold, rule.floor) <= 1
        and -1 <= rule.lead <= 1
        and rule.strangeness_weight >= 0
    ):
        raise InvalidConfigException(
            "KnowledgeFinder: threshold and floor must be from 0 to 1, lead from -1 to 1, and no weight below 0."
        )
    return rule
