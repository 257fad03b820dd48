"""Anger: how many calm messages would call a person for nothing, and how many angry ones would be heard.

Our own list of sentences says `angry`, `threat` or `calm` about each. Of the messages that were written for other
purposes, the assistant's examples and held-out sentences, those about complaints and abuse are left out; with
--benchmarks, public data are measured as they are. --show prints every message that was heard as anger, to be judged.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from bench.report import say, table, write_json
from bench.understanding_messages import UnderstandingError, read_examples
from bot.core.sentiment import is_angry, is_threat

ROOT = Path(__file__).resolve().parent.parent
SENTENCES = ROOT / "tests" / "core" / "anger.tsv"
OURS = {
    "the assistant's examples": ROOT / "data" / "nlu",
    "held-out sentences": ROOT / "tests" / "nlu" / "held_out.tsv",
}
HEATED = frozenset({"complaint", "abuse"})
PUBLIC = {
    **{name: (f"{name}/train.tsv", f"{name}/test.tsv") for name in ("banking77", "clinc150", "hwu64")},
    "hint3": tuple(
        f"hint3/v1/{part}/{shop}_{part}.csv"
        for shop in ("curekart", "powerplay11", "sofmattress")
        for part in ("train", "test")
    ),
}
Row = tuple[str, list[str], int]


def heard(texts: Iterable[str]) -> list[str]:
    """Those of the messages for which a person would be called."""
    return [text for text in texts if is_angry(text) or is_threat(text)]


def calm_messages(path: Path) -> list[str]:
    """Messages from a file of examples, each once, without complaints and abuse."""
    texts, intents = read_examples(path)
    return list(dict.fromkeys(text for text, intent in zip(texts, intents, strict=True) if intent not in HEATED))


def measure(benchmarks: Path | None) -> Iterator[Row]:
    """What was heard of each set of messages: its name, the messages heard, and how many there are."""
    texts, kinds = read_examples(SENTENCES)
    for kind in ("angry", "threat", "calm"):
        wanted = [text for text, what in zip(texts, kinds, strict=True) if what == kind]
        yield f"our list: {kind}", heard(wanted), len(wanted)
    for name, path in OURS.items():
        calm = calm_messages(path)
        yield name, heard(calm), len(calm)
    for name, files in PUBLIC.items() if benchmarks is not None else ():
        assert benchmarks is not None
        messages = list(dict.fromkeys(text for file in files for text in read_examples(benchmarks / file)[0]))
        yield name, heard(messages), len(messages)


def main(arguments: list[str] | None = None) -> int:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m bench.anger", description=__doc__)
    parser.add_argument("--benchmarks", type=Path, help="a folder with banking77, clinc150, hwu64 and hint3")
    parser.add_argument("--show", action="store_true", help="print what was heard as anger")
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    options = parser.parse_args(arguments)
    try:
        rows = list(measure(options.benchmarks))
    except UnderstandingError as error:
        say(str(error))
        return 1
    if options.show:
        for name, found, _ in rows:
            print(f"{name}:", *(f"  {text}" for text in found), sep="\n")
    cells = [[name, f"{number:,}", len(found), f"{100 * len(found) / number:.2f}"] for name, found, number in rows]
    print(table(["messages", "how many", "would call a person", "percent"], cells))
    write_json(options.json, {name: {"heard": len(found), "of": number} for name, found, number in rows})
    return 0


if __name__ == "__main__":
    sys.exit(main())
