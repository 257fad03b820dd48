"""The shop's content, which its owner edits while the service runs: knowledge and catalogue."""

from __future__ import annotations

import difflib
import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import Field, ValidationError, validator

from bot.core.catalogue import Catalogue, Product
from bot.core.knowledge import Knowledge, KnowledgeEntry, Link
from bot.core.money import to_minor_units
from bot.errors import ConfigError
from bot.yaml_files import Part, as_amount, describe_faults, is_group, read_yaml

KNOWLEDGE_FOLDER = Path("data/knowledge")
CATALOGUE_FILE = Path("catalogue.yml")


@dataclass(frozen=True)
class ShopFiles:
    """Where the shop's owner writes. Answers and catalogue lie beside the business file."""

    business: Path = Path("business.yml")

    @property
    def knowledge(self) -> Path:
        """The folder of questions and answers."""
        return self.business.parent / KNOWLEDGE_FOLDER

    @property
    def catalogue(self) -> Path:
        """What is sold."""
        return self.business.parent / CATALOGUE_FILE


# Rasa makes the components that read these files, and hands them nothing of ours: who loads a model says it here.
shop_files: ContextVar[ShopFiles] = ContextVar("shop_files", default=ShopFiles())  # noqa: B039 - frozen
LOOK_SECONDS = 1.0

_PLACEHOLDER = re.compile(r"\{([a-z_.]+)\}")
_WEB_ADDRESS = re.compile(r"https?://[^\s/?#]+\S*")

log = logging.getLogger(__name__)
Content = TypeVar("Content")
Stamp = tuple[tuple[str, int, int], ...]
SomePart = TypeVar("SomePart", bound=Part)


class LinkText(Part):
    """A page to point to, as it is written in a file."""

    title: str
    url: str


class EntryText(Part):
    """A question and its answer, as they are written in a file."""

    id: str
    title: str
    ask: list[str] = Field(min_items=1)
    answer: str
    links: list[LinkText] = Field(default_factory=list)
    intent: str | None = None


class ProductText(Part):
    """An article, as it is written in the file."""

    sku: str
    name: str
    category: str
    price: Decimal
    available: bool = True
    description: str = ""
    aliases: list[str] = Field(default_factory=list)
    tags: list[str] = Field(default_factory=list)
    url: str | None = None

    @validator("price", pre=True)
    def _price_is_an_amount(cls, value: object) -> Decimal:
        return as_amount(value)

    @validator("url")
    def _url_is_an_address(cls, value: str | None) -> str | None:
        if value is not None and not _WEB_ADDRESS.fullmatch(value):
            raise ValueError(f"{value!r} is not a web address such as https://www.example.com/page")
        return value


def read_knowledge(folder: Path, facts: Mapping[str, str] | None = None) -> Knowledge:
    """Read every *.yml in the folder, with the shop's facts filled into the answers and links.

    Without facts, placeholders stay as they are and are not checked. Raises ConfigError with every fault, each naming
    the file and the entry.
    """
    faults: list[str] = []
    entries: list[KnowledgeEntry] = []
    places: dict[tuple[str, str], str] = {}
    if not folder.is_dir():
        raise ConfigError([f"{folder}: there is no such folder"])
    for path in _knowledge_files(folder):
        for name, text in _read_parts(path, EntryText, "id", faults):
            where = f"{path}: {name}"
            for key, value in (("id", text.id), ("intent", text.intent)):
                if value is not None and (key, value) in places:
                    faults.append(f"{where}: {key}: {value} is taken already, in {places[key, value]}")
                elif value is not None:
                    places[key, value] = where
            fill = _Filler(facts, where, faults)
            entries.append(
                KnowledgeEntry(
                    id=text.id,
                    title=text.title,
                    ask=tuple(text.ask),
                    answer=fill("answer", text.answer),
                    links=tuple(Link(fill("links", link.title), fill.url("links", link.url)) for link in text.links),
                    intent=text.intent,
                )
            )
    if faults:
        raise ConfigError(faults)
    return Knowledge(entries)


def read_catalogue(path: Path, currency: str | None = None) -> Catalogue:
    """Read the products, their prices in minor units of the currency; without a currency, the prices are left at 0.

    Raises ConfigError with every fault, each naming the file and the product.
    """
    faults: list[str] = []
    products: dict[str, Product] = {}
    for name, text in _read_parts(path, ProductText, "sku", faults):
        if text.sku.upper() in products:
            faults.append(f"{path}: {name}: sku: is taken already")
        price_minor = 0
        try:
            price_minor = to_minor_units(text.price, currency) if currency else 0
        except ValueError as error:
            faults.append(f"{path}: {name}: price: {error}")
        products[text.sku.upper()] = Product(
            sku=text.sku,
            name=text.name,
            category=text.category,
            price_minor=price_minor,
            available=text.available,
            description=text.description,
            aliases=tuple(text.aliases),
            tags=tuple(text.tags),
            url=text.url,
        )
    if faults:
        raise ConfigError(faults)
    return Catalogue(list(products.values()))


class Watched(Generic[Content]):
    """What some files hold: the same object until one of them is edited.

    The first reading may raise ConfigError; after that, an edit that cannot be read is logged, and the last good
    content stays. Looks at the files' times at most once in LOOK_SECONDS.
    """

    def __init__(
        self,
        files: Callable[[], Sequence[Path]],
        read: Callable[[], Content],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._files = files
        self._read = read
        self._clock = clock
        # Before reading: an edit during the reading is then seen at the next look.
        self._looked_at, self._stamp = clock(), self._stamp_now()
        self._content = read()

    @property
    def current(self) -> Content:
        """The content as of now."""
        now = self._clock()
        if now - self._looked_at >= LOOK_SECONDS:
            self._looked_at = now
            stamp = self._stamp_now()
            if stamp != self._stamp:
                self._stamp = stamp
                self._read_again()
        return self._content

    def _read_again(self) -> None:
        try:
            self._content = self._read()
        except ConfigError as error:
            for fault in error.faults:
                log.warning("%s (what was there before stays in use)", fault)

    def _stamp_now(self) -> Stamp:
        stamp = []
        for path in self._files():
            try:
                status = path.stat()
            except OSError:  # gone, or not ours to see: the reading says so
                continue
            stamp.append((path.name, status.st_mtime_ns, status.st_size))
        return tuple(stamp)


def watch_knowledge(
    folder: Path, facts: Mapping[str, str] | None = None, clock: Callable[[], float] = time.monotonic
) -> Watched[Knowledge]:
    """The knowledge in a folder, kept up to date. Raises ConfigError when it cannot be read now."""
    return Watched(lambda: _knowledge_files(folder), lambda: read_knowledge(folder, facts), clock)


def watch_catalogue(
    path: Path, currency: str | None = None, clock: Callable[[], float] = time.monotonic
) -> Watched[Catalogue]:
    """The catalogue in a file, kept up to date. Raises ConfigError when it cannot be read now."""
    return Watched(lambda: [path], lambda: read_catalogue(path, currency), clock)


class ContentFiles:
    """The content as it stands in the files now: an edited file is read again.

    `facts` are what answers may use, by name; prices are in `facts["currency"]`. Raises ConfigError with every fault of
    all files when one cannot be read now; a later edit with a fault is logged, and changes nothing.
    """

    def __init__(
        self,
        knowledge_folder: Path,
        catalogue_file: Path,
        facts: Mapping[str, str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        faults: list[str] = []
        try:
            self._knowledge = watch_knowledge(knowledge_folder, facts, clock)
        except ConfigError as error:
            faults += error.faults
        try:
            self._catalogue = watch_catalogue(catalogue_file, facts["currency"], clock)
        except ConfigError as error:
            faults += error.faults
        if faults:
            raise ConfigError(faults)

    @property
    def knowledge(self) -> Knowledge:
        """Questions and their answers, as of now."""
        return self._knowledge.current

    @property
    def catalogue(self) -> Catalogue:
        """What is sold, as of now."""
        return self._catalogue.current


class _Filler:
    """Puts facts in the place of {names}, and gathers the faults of one entry."""

    def __init__(self, facts: Mapping[str, str] | None, where: str, faults: list[str]) -> None:
        self._facts = facts
        self._where = where
        self._faults = faults

    def __call__(self, key: str, text: str) -> str:
        facts = self._facts
        if facts is None:
            return text
        for name in dict.fromkeys(_PLACEHOLDER.findall(text)):
            if name not in facts:
                near = difflib.get_close_matches(name, facts, n=1)
                hint = f"did you mean {{{near[0]}}}?" if near else f"there are: {', '.join(sorted(facts))}"
                self._faults.append(f"{self._where}: {key}: business.yml gives no {{{name}}} ({hint})")
        if set("{}") & set(_PLACEHOLDER.sub("", text)):
            self._faults.append(f"{self._where}: {key}: braces may only be around the name of a fact")
        return _PLACEHOLDER.sub(lambda found: facts.get(found[1], ""), text)

    def url(self, key: str, text: str) -> str:
        """Like a call, for what must be a web address then."""
        count = len(self._faults)
        url = self(key, text)
        if self._facts is not None and count == len(self._faults) and not _WEB_ADDRESS.fullmatch(url):
            self._faults.append(f"{self._where}: {key}: {url!r} is not a web address such as https://www.example.com")
        return url


def _knowledge_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.yml"))


def _read_parts(path: Path, model: type[SomePart], key: str, faults: list[str]) -> Iterator[tuple[str, SomePart]]:
    """The parts that a file lists, each with the name by which to find it; faults are gathered, and skipped."""
    try:
        content: Any = read_yaml(path)
    except ConfigError as error:
        faults += error.faults
        return
    if not isinstance(content, list):
        if content is not None:
            faults.append(f"{path}: is not a list, each part beginning with `- {key}: …`")
        return
    for number, values in enumerate(content, 1):
        if not is_group(values):
            faults.append(f"{path}: number {number}: is not a group of settings, each as `name: value`")
            continue
        name = values[key] if isinstance(values.get(key), str) and values[key] else f"number {number}"
        try:
            yield name, model(**values)
        except ValidationError as error:
            faults += (f"{path}: {name}: {fault}" for fault in describe_faults(error, model))
