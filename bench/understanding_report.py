"""What understanding scored: counted, and shown as tables and as a picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from bench.report import percentile, say, table
from bench.understanding_messages import OUT_OF_SCOPE
from bot.nlu.intent_model import Gate, Prediction

SHOWN = 8


@dataclass(frozen=True)
class Score:
    """What a model made of a set of messages. Shares are from 0 to 1; None where there is nothing to count.

    macro_f1 is the mean over our intents: a message of ours that is refused counts against its intent, and one out of
    scope that is not refused against the intent it was taken for. Out of scope itself is not in the mean.
    """

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


def judge(predictions: Sequence[Prediction], intents: Sequence[str], times: Sequence[float]) -> Score:
    """Count what is right and what is not."""
    truth, said = np.array(intents, dtype=object), np.array([one.intent for one in predictions], dtype=object)
    first = np.array([one.ranking[0][0] for one in predictions], dtype=object)
    ours = truth != OUT_OF_SCOPE
    right = truth == said
    named = sorted(set(intents))
    f1 = [
        2 * (right & (truth == name)).sum() / ((truth == name).sum() + (said == name).sum())
        for name in named
        if name != OUT_OF_SCOPE or len(named) == 1
    ]
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


def percent(share: float | None) -> str:
    """A share as a percentage with one decimal."""
    return "–" if share is None else f"{100 * share:.1f}"


def show(scores: dict[str, Score]) -> str:
    """The scores as Markdown tables, the worst intents and the confusions of the first."""
    headings = ["messages as", "count", "accuracy", "macro-F1", "in scope", "lost to the gate",
                "out-of-scope recall", "median ms", "p95 ms"]  # fmt: skip
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


def describe_gate(gate: Gate) -> str:
    """The gate in one line."""
    return (
        f"threshold {gate.threshold}, weights {gate.confidence_weight}, {gate.margin_weight}, {gate.similarity_weight}"
    )


def config_lines(gate: Gate) -> str:
    """The gate as it is written into config.yml."""
    values = asdict(gate)
    del values["out_of_scope"]
    return "\n".join(f"    {name}: {value}" for name, value in values.items())
