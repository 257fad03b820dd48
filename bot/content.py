"""The shop's content, which its owner edits while the service runs: knowledge and catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bot.core.catalogue import Catalogue
from bot.core.knowledge import Knowledge

KNOWLEDGE_FOLDER = Path("data/knowledge")
CATALOGUE_FILE = Path("catalogue.yml")


class ContentFiles:
    """The content as it stands in the files now: an edited file is read again."""

    def __init__(self, knowledge_folder: Path, catalogue_file: Path, facts: Mapping[str, str]) -> None:
        self._facts = facts

    @property
    def knowledge(self) -> Knowledge:
        """Questions and their answers, as of now."""
        return Knowledge()

    @property
    def catalogue(self) -> Catalogue:
        """What is sold, as of now."""
        return Catalogue()
