"""The details a customer writes, found by pattern and normalised: numbers, addresses, dates, amounts, products."""

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timezone
from typing import Any

import spacy

from bot.core.catalogue import Catalogue
from bot.nlu.codes import CodeFinder, OrderFormat
from bot.nlu.dates import DateFinder
from bot.nlu.message_text import Detail, Draft, Words, cut, plain
from bot.nlu.products import ProductFinder
from bot.nlu.quantities import QuantityFinder

__all__ = ["Detail", "DetailFinder", "OrderFormat"]


class DetailFinder:
    """Finds details in a message with a blank spaCy pipeline. Safe to share between threads.

    `phrases` are spaCy entity-ruler patterns (dicts with `label`, `pattern` and optionally `id`, the value to give): a
    shop's own vocabulary. `model` names an installed spaCy model whose entities with a label in `model_labels` are
    returned too, labels in lower case. `catalogue()` is asked at each message, and another catalogue is learnt at once;
    `today()` is the day from which dates are read; `month_first` says that 05/06/2026 is in May.
    """

    def __init__(
        self,
        order_format: OrderFormat | None = None,
        phrases: Sequence[Mapping[str, Any]] = (),
        model: str | None = None,
        model_labels: Sequence[str] = (),
        *,
        catalogue: Callable[[], Catalogue] | None = None,
        today: Callable[[], date] = lambda: datetime.now(timezone.utc).date(),
        month_first: bool = True,
    ) -> None:
        self._nlp = spacy.blank("en")
        self._one_at_a_time = threading.Lock()  # a pipeline has room for one memory zone
        self._codes = CodeFinder(self._nlp.vocab, order_format or OrderFormat())
        self._dates = DateFinder(self._nlp.vocab, today, month_first)
        self._quantities = QuantityFinder(self._nlp.vocab)
        self._catalogue = catalogue
        self._known_catalogue = catalogue() if catalogue else Catalogue()
        self._products = ProductFinder(self._known_catalogue, self._nlp.vocab)
        if phrases:
            self._nlp.add_pipe("entity_ruler", config={"phrase_matcher_attr": "LOWER"}).add_patterns(  # type: ignore[attr-defined]
                [_in_our_words(phrase) for phrase in phrases]
            )
        self._has_phrases = bool(phrases)
        self._model = spacy.load(model) if model else None
        self._model_labels = frozenset(model_labels)

    def find(self, text: str) -> list[Detail]:
        """Return the details in the text in order of appearance, each value once.

        Five digits with nothing to tell them apart ("10002") are returned twice, as an order number and as a postcode:
        the dialogue knows which one it asked for. Never fails, whatever the text, and takes time linear in its length.
        """
        draft = Draft(plain(text))
        self._codes.find_by_form(draft)
        with self._one_at_a_time:
            self._learn_products()
            # The strings of a message are forgotten afterwards; spaCy would keep them for the life of the process.
            with self._nlp.memory_zone():
                words = Words(self._nlp.vocab, draft.text)
                self._dates.find(draft, words)
                self._quantities.find(draft, words)
                self._codes.find_by_context(draft, words)
                self._find_phrases(draft, words)
                self._products.find(draft, words)
        self._find_model_entities(draft)
        return draft.details()

    def _learn_products(self) -> None:
        # Outside the memory zone: the catalogue's words are kept.
        catalogue = self._catalogue() if self._catalogue else self._known_catalogue
        if catalogue is not self._known_catalogue:
            self._products = ProductFinder(catalogue, self._nlp.vocab)
            self._known_catalogue = catalogue

    def _find_phrases(self, draft: Draft, words: Words) -> None:
        if not self._has_phrases:
            return
        for entity in self._nlp.get_pipe("entity_ruler")(words.doc).ents:
            draft.add(entity.label_, entity.ent_id_ or entity.text, *words.span(entity.start, entity.end))

    def _find_model_entities(self, draft: Draft) -> None:
        if self._model is None:
            return
        with self._one_at_a_time, self._model.memory_zone():
            for entity in self._model(draft.text).ents:
                if entity.label_ in self._model_labels and draft.is_free(entity.start_char, entity.end_char):
                    draft.add(entity.label_.lower(), entity.text, entity.start_char, entity.end_char)


def _in_our_words(phrase: Mapping[str, Any]) -> dict[str, Any]:
    """A phrase given as text is cut as messages are."""
    pattern = phrase["pattern"]
    if isinstance(pattern, str):
        pattern = [{"LOWER": word} for word in cut(pattern)]
    return {**phrase, "pattern": pattern}
