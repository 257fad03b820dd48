"""How well messages are understood: our model or any examples, with typing errors, and the public benchmarks."""

from __future__ import annotations

import argparse
import csv
import json
import random
import sys
import tarfile
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from bench.report import describe_machine, machine_line, percentile, say, table, write_json
from bot.nlu.embedding import SentenceEncoderModel
from bot.nlu.intent_model import Gate, IntentModel, Prediction
from bot.nlu.typos import add_typos

ROOT = Path(__file__).parent.parent
MODEL = ROOT / "models" / "kasuki.tar.gz"
OUT_OF_SCOPE = Gate().out_of_scope
OPEN = Gate(threshold=0.0)
# What belongs to the table of --benchmarks: the training files beside each test file.
PUBLIC = ("banking77", "clinc150", "hwu64")
FEW_SHOT = ("train_5", "train_10", "train")
HINT3 = ("sofmattress", "curekart", "powerplay11")
HINT3_OUT_OF_SCOPE = "NO_NODES_DETECTED"
# Messages of held-out intents that the gate must refuse when it is chosen for HINT3.
HINT3_LEAST_REFUSED = 0.65
SHOWN = 8

Examples = tuple[list[str], list[str]]
Understanding = tuple[SentenceEncoderModel, IntentModel]


class UnderstandingError(Exception):
    """What was asked for cannot be measured; the sentence says why."""


@dataclass(frozen=True)
class Score:
    """What a model made of a set of messages. Shares are from 0 to 1; None where there is nothing to count."""

    messages: int
    accuracy: float
    macro_f1: float
    accuracy_in_scope: float | None
    in_scope_lost_to_gate: float | None
    refused_out_of_scope: float | None
    median_ms: float
    p95_ms: float
    worst_intents: list[tuple[str, float, int]] = field(repr=False)
    confusions: list[tuple[str, str, int]] = field(repr=False)


def read_examples(path: Path) -> Examples:
    """Texts and intents from `intent<TAB>text` lines, from `sentence,label` CSV, or from Rasa's YAML."""
    if not path.exists():
        raise UnderstandingError(f"{path} is missing.")
    if path.suffix in (".yml", ".yaml") or path.is_dir():
        from rasa.shared.nlu.training_data.loading import load_data

        examples = load_data(str(path)).intent_examples
        return [one.get("text") for one in examples], [one.get("intent") for one in examples]
    with path.open(encoding="utf-8", newline="") as file:
        if path.suffix == ".csv":
            pairs = [(row["label"], row["sentence"]) for row in csv.DictReader(file)]
        else:
            pairs = [(intent, text) for intent, _, text in (line.rstrip("\r\n").partition("\t") for line in file)]
    pairs = [(intent, text) for intent, text in pairs if intent and text]
    if not pairs:
        raise UnderstandingError(f"{path} holds no lines of the form intent<TAB>text.")
    intents = [OUT_OF_SCOPE if intent == HINT3_OUT_OF_SCOPE else intent for intent, _ in pairs]
    return [text for _, text in pairs], intents


def load_shipped(path: Path, folder: Path) -> Understanding:
    """The encoder and the classifier of a trained Rasa model, unpacked into `folder`; neither Rasa nor TensorFlow."""
    if not path.exists():
        raise UnderstandingError(f"{path} is missing: `make train` makes it.")
    with tarfile.open(path) as archive:
        for member in archive.getmembers():
            parts = Path(member.name.lstrip("/")).parts
            if member.isfile() and ".." not in parts and (file := archive.extractfile(member)) is not None:
                target = folder.joinpath(*parts)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(file.read())
    nodes = json.loads((folder / "metadata.json").read_text(encoding="utf-8"))["predict_schema"]["nodes"].values()
    found = {node["uses"].rpartition(".")[2]: node for node in nodes}
    try:
        encoder, classifier = found["SentenceEncoder"], found["SentenceIntentClassifier"]
    except KeyError as error:
        raise UnderstandingError(f"{path} was trained without {error.args[0]}.") from error
    known = {one.name for one in fields(Gate)}
    gate = Gate(**{name: value for name, value in classifier["config"].items() if name in known})
    stored = folder / "components"
    return (
        SentenceEncoderModel.from_folder(stored / encoder["resource"]["name"]),
        IntentModel.load(stored / classifier["resource"]["name"], gate),
    )


def predict(understanding: Understanding, texts: Sequence[str]) -> tuple[list[Prediction], list[float]]:
    """Predictions, and the milliseconds that each took."""
    encoder, model = understanding
    model.predict_texts(encoder, texts[:20])  # the first calls allocate
    predictions, times = [], []
    for text in texts:
        began = time.perf_counter()
        predictions += model.predict_texts(encoder, [text])
        times.append(1000 * (time.perf_counter() - began))
    return predictions, times


def judge(predictions: Sequence[Prediction], intents: Sequence[str], times: Sequence[float]) -> Score:
    """Count what is right and what is not."""
    truth, said = np.array(intents, dtype=object), np.array([one.intent for one in predictions], dtype=object)
    first = np.array([one.ranking[0][0] for one in predictions], dtype=object)
    ours = truth != OUT_OF_SCOPE
    right = truth == said
    named = sorted(set(intents))
    f1 = [2 * (right & (truth == name)).sum() / ((truth == name).sum() + (said == name).sum()) for name in named]
    recall = sorted((float(right[truth == name].mean()), name, int((truth == name).sum())) for name in named)
    wrong = Counter((a, b) for a, b in zip(truth, said, strict=True) if a != b)
    return Score(
        messages=len(intents),
        accuracy=float(right.mean()),
        macro_f1=float(np.mean(f1)),
        accuracy_in_scope=float(right[ours].mean()) if ours.any() else None,
        in_scope_lost_to_gate=float((truth == first)[ours].mean() - right[ours].mean()) if ours.any() else None,
        refused_out_of_scope=float(right[~ours].mean()) if not ours.all() else None,
        median_ms=percentile(times, 50),
        p95_ms=percentile(times, 95),
        worst_intents=[(name, share, count) for share, name, count in recall[:SHOWN] if share < 1],
        confusions=[(a, b, count) for (a, b), count in wrong.most_common(SHOWN)],
    )


def misspell(texts: Sequence[str], seed: int) -> list[str]:
    """The texts with one or two typing errors each."""
    source = random.Random(seed)
    return [add_typos(text, source) for text in texts]


def percent(share: float | None) -> str:
    """A share as a percentage with one decimal."""
    return "–" if share is None else f"{100 * share:.1f}"


def show(scores: dict[str, Score]) -> str:
    """The scores as Markdown tables, the worst intents and the confusions of the first."""
    headings = ["messages as", "count", "accuracy", "macro-F1", "in scope", "lost to the gate", "refused out of scope",
                "median ms", "p95 ms"]  # fmt: skip
    rows = [
        [name, one.messages, percent(one.accuracy), percent(one.macro_f1), percent(one.accuracy_in_scope),
         percent(one.in_scope_lost_to_gate), percent(one.refused_out_of_scope), f"{one.median_ms:.1f}",
         f"{one.p95_ms:.1f}"]
        for name, one in scores.items()
    ]  # fmt: skip
    first = next(iter(scores.values()))
    worst = [[name, percent(share), count] for name, share, count in first.worst_intents]
    return "\n\n".join(
        [
            table(headings, rows),
            table(["worst intents", "recall", "messages"], worst) if worst else "Every intent is understood.",
            table(["should be", "taken for", "times"], first.confusions)
            if first.confusions
            else "Nothing is confused.",
        ]
    )


def draw_confusion(path: Path, intents: Sequence[str], predictions: Sequence[Prediction]) -> None:
    """Draw which intent is taken for which: rows are the truth, each adding up to 1."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    names = sorted({*intents, *(one.intent for one in predictions)})
    place = {name: number for number, name in enumerate(names)}
    counts = np.zeros((len(names), len(names)))
    for intent, one in zip(intents, predictions, strict=True):
        counts[place[intent], place[one.intent]] += 1
    side = max(5.0, 0.22 * len(names) + 2)
    figure, axes = pyplot.subplots(figsize=(side, side), layout="constrained")
    image = axes.imshow(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1), cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(names)), names, rotation=90, fontsize=7)
    axes.set_yticks(range(len(names)), names, fontsize=7)
    axes.set(xlabel="understood as", ylabel="meant")
    figure.colorbar(image, shrink=0.5, label="share of the messages meant")
    figure.savefig(path, dpi=130)
    pyplot.close(figure)
    say(f"drew {path}")


def run_benchmarks(
    folder: Path, wanted: Sequence[str], shots: Sequence[str]
) -> tuple[list[list[str]], list[list[str]]]:
    """Rows of the two public tables: accuracy on few examples and all, and HINT3's two rates."""
    from bot.nlu.gate_choice import choose_gate, cross_validate
    from bot.nlu.training import train_understanding

    accuracies, refusals = [], []
    for name in (one for one in PUBLIC if one in wanted):
        row = [name]
        for train in FEW_SHOT:
            if train not in shots:
                row.append("–")
                continue
            try:
                texts, intents = read_examples(folder / name / f"{train}.tsv")
                test_texts, test_intents = read_examples(folder / name / "test.tsv")
            except UnderstandingError as error:
                say(str(error))
                row.append("missing")
                continue
            say(f"{name}, {train}: training on {len(texts)} messages")
            with tempfile.TemporaryDirectory() as scratch:
                understanding = train_understanding(texts, intents, Path(scratch), gate=OPEN)
                predictions, times = predict(understanding, test_texts)
            row.append(percent(judge(predictions, test_intents, times).accuracy))
            say(f"{name}, {train}: {row[-1]} %, median {percentile(times, 50):.1f} ms")
        accuracies.append(row)
    for name in (one for one in HINT3 if one in wanted):
        try:
            texts, intents = read_examples(folder / "hint3" / "v1" / "train" / f"{name}_train.csv")
            test_texts, test_intents = read_examples(folder / "hint3" / "v1" / "test" / f"{name}_test.csv")
        except UnderstandingError as error:
            say(str(error))
            refusals.append([name, "missing", "missing", "–"])
            continue
        say(f"{name}: choosing the operating point on the {len(texts)} training messages")
        point = choose_gate(cross_validate(texts, intents, say=say), least_refused=HINT3_LEAST_REFUSED)
        with tempfile.TemporaryDirectory() as scratch:
            understanding = train_understanding(texts, intents, Path(scratch), gate=point.gate)
            score = judge(*_ordered(predict(understanding, test_texts), test_intents))
        rates = [percent(score.accuracy_in_scope), percent(score.refused_out_of_scope)]
        refusals.append([name, *rates, _gate(point.gate)])
        say(" | ".join(refusals[-1]))
    return accuracies, refusals


def _ordered(predicted: tuple[list[Prediction], list[float]], intents: Sequence[str]) -> tuple[Any, ...]:
    return predicted[0], intents, predicted[1]


def _gate(gate: Gate) -> str:
    return (
        f"threshold {gate.threshold}, weights {gate.confidence_weight}, {gate.margin_weight}, {gate.similarity_weight}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m bench.understanding", description=__doc__)
    parser.add_argument("--eval", type=Path, metavar="FILE", help="score on these messages: .tsv, .csv or Rasa's .yml")
    parser.add_argument("--train", type=Path, metavar="FILE", help="train on these examples, not the shipped model")
    parser.add_argument("--model", type=Path, default=MODEL, metavar="FILE", help="the Rasa model to score")
    parser.add_argument("--typos", action="store_true", help="score again with typing errors, once a seed")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="of the typing errors (0 1 2)")
    parser.add_argument("--confusion", type=Path, metavar="FILE.png", help="draw the confusion matrix of --eval")
    parser.add_argument("--benchmarks", type=Path, metavar="FOLDER", help="the public table, from this folder")
    parser.add_argument("--only", nargs="+", default=[*PUBLIC, *HINT3], metavar="NAME", help="these benchmarks alone")
    parser.add_argument("--shots", nargs="+", default=FEW_SHOT, choices=FEW_SHOT, help="these training files alone")
    parser.add_argument("--choose-gate", action="store_true", help="choose the gate on --train, or on data/nlu")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there as well")
    options = parser.parse_args(arguments)
    if not (options.eval or options.benchmarks or options.choose_gate):
        parser.error("say what to measure: --eval FILE, --benchmarks FOLDER or --choose-gate")
    machine = describe_machine()
    print(machine_line(machine))
    try:
        result = _measure(options)
    except UnderstandingError as error:
        print(error, file=sys.stderr)
        return 1
    write_json(options.json, {"machine": machine, **result})
    return 0


def _measure(options: argparse.Namespace) -> dict[str, Any]:
    result: dict[str, Any] = {}
    if options.choose_gate:
        from bot.nlu.gate_choice import choose_gate, cross_validate

        texts, intents = read_examples(options.train or ROOT / "data" / "nlu")
        point = choose_gate(cross_validate(texts, intents, say=say))
        result["gate"] = point
        rows = [[_gate(point.gate), percent(point.accuracy_without_gate), percent(point.accuracy_in_scope),
                 percent(point.refused_out_of_scope)]]  # fmt: skip
        print("\n" + table(["gate", "in scope without", "in scope with", "refused out of scope"], rows))
    if options.benchmarks:
        accuracies, refusals = run_benchmarks(options.benchmarks, options.only, options.shots)
        result |= {"few_shot": accuracies, "hint3": refusals}
        print("\n" + table(["accuracy, %", "5 examples", "10 examples", "all"], accuracies))
        print("\n" + table(["HINT3 v1, %", "in scope", "refused out of scope", "gate"], refusals))
    if options.eval:
        texts, intents = read_examples(options.eval)
        with tempfile.TemporaryDirectory() as folder:
            understanding = _understanding(options, Path(folder))
            predictions, times = predict(understanding, texts)
            scores = {"written": judge(predictions, intents, times)}
            for seed in options.seeds if options.typos else ():
                misspelt, slower = predict(understanding, misspell(texts, seed))
                scores[f"misspelt, seed {seed}"] = judge(misspelt, intents, slower)
        if options.confusion:
            draw_confusion(options.confusion, intents, predictions)
        result["scores"] = scores
        print("\n" + show(scores))
    return result


def _understanding(options: argparse.Namespace, folder: Path) -> Understanding:
    if options.train is None:
        return load_shipped(options.model, folder)
    from bot.nlu.training import train_understanding

    texts, intents = read_examples(options.train)
    say(f"training on {len(texts)} messages")
    return train_understanding(texts, intents, folder)


if __name__ == "__main__":
    sys.exit(main())
