"""The Rasa component that finds details in a message: order numbers, addresses, dates, amounts, products."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timezone, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

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
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from bot.content import shop_files, watch_catalogue
from bot.core.catalogue import Catalogue
from bot.errors import ConfigError
from bot.nlu.details import Detail, DetailFinder, OrderFormat

log = logging.getLogger(__name__)


def _utc_now() -> datetime:
    return datetime.now(timezone.utc)


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class DetailExtractor(GraphComponent, EntityExtractorMixin):
    """Details as entities with normalised values, from patterns: nothing is trained.

    - `order_number` "TC-10002", `email`, `phone` "+639171234567", `postcode` "SW1A 1AA"
    - `amount` "12.50 USD", or "12.50" where no currency is said; `points` 200; `rating` 1 to 5
    - `date` "2026-12-24" and `date_range` "2026-12-24/2026-12-31", read in the shop's time zone
    - `product`: the SKU of an article of the catalogue

    Five digits alone give both an `order_number` and a `postcode` over the same characters; the slot that the dialogue
    asked for decides.

    The configuration: `order_number` (see `bot.nlu.details.OrderFormat`); `catalogue`, the file of products, read again
    when it is edited; `business`, the file with the shop's `time_zone`; `month_first`, whether 05/06/2026 is in May;
    `phrases` (spaCy entity-ruler patterns); and `spacy_model` with `spacy_labels` for an installed spaCy model.
    """

    def __init__(self, config: dict[str, Any], now: Callable[[], datetime] = _utc_now) -> None:
        zone = _time_zone(Path(config["business"] or shop_files.get().business))
        self._finder = DetailFinder(
            OrderFormat(**config["order_number"]),
            config["phrases"],
            config["spacy_model"],
            config["spacy_labels"],
            catalogue=_catalogue(Path(config["catalogue"] or shop_files.get().catalogue)),
            today=lambda: now().astimezone(zone).date(),
            month_first=config["month_first"],
        )

    @staticmethod
    def required_packages() -> list[str]:
        """Name the packages that serving imports."""
        return ["spacy"]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Return the default order-number format and files, no phrases of the shop's own, and no bigger model."""
        order_number = {"prefixes": ["TC"], "shortest": 4, "longest": 8, "usual_digits": 5, "regex": None}
        return {
            "order_number": order_number,
            "catalogue": None,
            "business": None,
            "month_first": True,
            "phrases": [],
            "spacy_model": None,
            "spacy_labels": [],
        }

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


def _catalogue(path: Path) -> Callable[[], Catalogue]:
    """What gives the catalogue of now; without a readable file the assistant knows no products, and says so once."""
    try:
        watched = watch_catalogue(path)
    except ConfigError as error:
        for fault in error.faults:
            log.warning("%s (no products are recognised)", fault)
        nothing = Catalogue()
        return lambda: nothing
    return lambda: watched.current


def _time_zone(path: Path) -> tzinfo:
    """The shop's time zone; UTC, with a warning, where the file names none."""
    try:
        content = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8-sig"))
        return ZoneInfo(content["time_zone"])
    except (OSError, ValueError, YAMLError, KeyError, TypeError, ZoneInfoNotFoundError) as error:
        log.warning("%s gives no time zone (%s): dates are read in UTC", path, type(error).__name__)
        return timezone.utc
