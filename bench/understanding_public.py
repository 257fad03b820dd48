"""The public benchmarks of understanding: BANKING77, CLINC150 and HWU64 on few examples and all, and HINT3 v1."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.report import percentile, say
from bench.understanding_messages import UnderstandingError, predict, read_examples
from bench.understanding_report import describe_gate, judge, percent
from bot.nlu.intent_model import Gate

OPEN = Gate(threshold=0.0)
# What belongs to the table of --benchmarks: the training files beside each test file.
PUBLIC = ("banking77", "clinc150", "hwu64")
FEW_SHOT = ("train_5", "train_10", "train")
HINT3 = ("sofmattress", "curekart", "powerplay11")
# Messages of held-out intents that the gate must refuse when it is chosen for HINT3.
HINT3_LEAST_REFUSED = 0.65


def run_few_shot(folder: Path, wanted: Sequence[str], shots: Sequence[str]) -> list[list[str]]:
    """A row for each benchmark of many intents: its accuracy with each of the training files."""
    return [
        [name, *(_accuracy(folder / name, train, shots) for train in FEW_SHOT)] for name in PUBLIC if name in wanted
    ]


def run_hint3(folder: Path, wanted: Sequence[str]) -> list[list[str]]:
    """A row for each of HINT3's sets: what is understood in scope, what is refused out of scope, and the gate.

    The gate is chosen on the training file alone, before the test file is read.
    """
    return [_rates(folder, name) for name in HINT3 if name in wanted]


def _accuracy(folder: Path, train: str, shots: Sequence[str]) -> str:
    from bot.nlu.training import train_understanding

    if train not in shots:
        return "–"
    try:
        texts, intents = read_examples(folder / f"{train}.tsv")
        test_texts, test_intents = read_examples(folder / "test.tsv")
    except UnderstandingError as error:
        say(str(error))
        return "missing"
    say(f"{folder.name}, {train}: training on {len(texts)} messages")
    with tempfile.TemporaryDirectory() as scratch:
        understanding = train_understanding(texts, intents, Path(scratch), gate=OPEN)
        predictions, times = predict(understanding, test_texts)
    accuracy = percent(judge(predictions, test_intents, times).accuracy)
    say(f"{folder.name}, {train}: {accuracy} %, median {percentile(times, 50):.1f} ms")
    return accuracy


def _rates(folder: Path, name: str) -> list[str]:
    from bot.nlu.gate_choice import choose_gate, cross_validate
    from bot.nlu.training import train_understanding

    try:
        texts, intents = read_examples(folder / "hint3" / "v1" / "train" / f"{name}_train.csv")
        test_texts, test_intents = read_examples(folder / "hint3" / "v1" / "test" / f"{name}_test.csv")
    except UnderstandingError as error:
        say(str(error))
        return [name, "missing", "missing", "–"]
    say(f"{name}: choosing the operating point on the {len(texts)} training messages")
    point = choose_gate(cross_validate(texts, intents, say=say), least_refused=HINT3_LEAST_REFUSED)
    with tempfile.TemporaryDirectory() as scratch:
        understanding = train_understanding(texts, intents, Path(scratch), gate=point.gate)
        predictions, times = predict(understanding, test_texts)
    score = judge(predictions, test_intents, times)
    row = [name, percent(score.accuracy_in_scope), percent(score.refused_out_of_scope), describe_gate(point.gate)]
    say(" | ".join(row))
    return row
