"""The Rasa component that finds order numbers, e-mail addresses and postcodes."""

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.extractors.extractor import EntityExtractorMixin
from rasa.shared.nlu.constants import (
    ENTITIES,
    ENTITY_ATTRIBUTE_CONFIDENCE,
    ENTITY_ATTRIBUTE_END,
    ENTITY_ATTRIBUTE_START,
    ENTITY_ATTRIBUTE_TYPE,
    ENTITY_ATTRIBUTE_VALUE,
    TEXT,
)
from rasa.shared.nlu.training_data.message import Message

from bot.nlu.details import Detail, DetailFinder, OrderFormat


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class DetailExtractor(GraphComponent, EntityExtractorMixin):
    """Entities `order_number`, `email` and `postcode`, with normalised values, from patterns: nothing is trained.

    Five digits alone give both an `order_number` and a `postcode` over the same characters; the slot that the dialogue
    asked for decides. The configuration: `order_number` (see `bot.nlu.details.OrderFormat`), `phrases` (spaCy
    entity-ruler patterns), and `spacy_model` with `spacy_labels` for an installed spaCy model.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        self._finder = DetailFinder(
            OrderFormat(**config["order_number"]), config["phrases"], config["spacy_model"], config["spacy_labels"]
        )

    @staticmethod
    def required_packages() -> list[str]:
        """Name the packages that serving imports."""
        return ["spacy"]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Return the default order-number format, no phrases of the shop's own, and no bigger model."""
        order_number = {"prefixes": ["TC"], "shortest": 4, "longest": 8, "usual_digits": 5, "regex": None}
        return {"order_number": order_number, "phrases": [], "spacy_model": None, "spacy_labels": []}

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> DetailExtractor:
        """Return the component, ready to use."""
        return cls(config)

    def process(self, messages: list[Message]) -> list[Message]:
        """Add the entities found to each message, after those already there."""
        for message in messages:
            found = [_entity(detail) for detail in self._finder.find(message.get(TEXT) or "")]
            entities = [*message.get(ENTITIES, []), *self.add_extractor_name(found)]
            message.set(ENTITIES, entities, add_to_output=True)
        return messages


def _entity(detail: Detail) -> dict[str, Any]:
    return {
        ENTITY_ATTRIBUTE_TYPE: detail.kind,
        ENTITY_ATTRIBUTE_VALUE: detail.value,
        ENTITY_ATTRIBUTE_START: detail.start,
        ENTITY_ATTRIBUTE_END: detail.end,
        ENTITY_ATTRIBUTE_CONFIDENCE: 1.0,
    }
