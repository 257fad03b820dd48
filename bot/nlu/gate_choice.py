"""Chooses when a message counts as out of scope, from training examples alone."""

import itertools
import random
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bot.nlu.intent_model import Gate, Prediction
from bot.nlu.training import train_understanding
from bot.nlu.tuning import Tuning

HELD_OUT_INTENTS = 0.25
_WEIGHTS = [
    (1.0, margin, similarity)
    for margin, similarity in itertools.product((0.0, 0.25, 0.5, 1.0), (0.0, 0.5, 1.0, 2.0, 4.0))
]
_THRESHOLDS = np.arange(0.1, 0.96, 0.01)


@dataclass(frozen=True)
class Judged:
    """One message that the model had not seen: what it made of it, and what it should have been."""

    intent: str
    prediction: Prediction


@dataclass(frozen=True)
class OperatingPoint:
    """A gate, and what it does to messages that were not trained on; shares from 0 to 1."""

    gate: Gate
    accuracy_in_scope: float
    accuracy_without_gate: float
    refused_out_of_scope: float


def cross_validate(
    texts: Sequence[str],
    intents: Sequence[str],
    *,
    folds: int = 4,
    seed: int = 0,
    tuning: Tuning | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> list[Judged]:
    """Return what models made of examples that they had not seen, each example of ours once.

    Each model does without one share of the examples, and without whole intents, whose messages are then out of scope
    to it: there is no better stand-in for what customers will ask that nobody thought of. Examples of the out-of-scope
    intent are held out like any other's.
    """
    gate = Gate(threshold=0.0)
    order = random.Random(seed)  # noqa: S311 - shuffles examples
    by_intent: dict[str, list[int]] = defaultdict(list)
    for row, intent in enumerate(intents):
        by_intent[intent].append(row)
    fold_of = {}
    for rows in by_intent.values():
        order.shuffle(rows)
        fold_of.update({row: place % folds for place, row in enumerate(rows)})
    named = sorted(set(by_intent) - {gate.out_of_scope})
    order.shuffle(named)
    judged = []
    for fold in range(folds):
        say(f"fold {fold + 1} of {folds}")
        absent = set(named[fold :: max(folds, round(1 / HELD_OUT_INTENTS))])
        seen = [row for row, intent in enumerate(intents) if fold_of[row] != fold and intent not in absent]
        unseen = [row for row, intent in enumerate(intents) if fold_of[row] == fold or intent in absent]
        with tempfile.TemporaryDirectory() as folder:
            encoder, model = train_understanding(
                [texts[row] for row in seen], [intents[row] for row in seen], Path(folder), gate=gate, tuning=tuning
            )
            predictions = model.predict_texts(encoder, [texts[row] for row in unseen])
        judged += [
            Judged(gate.out_of_scope if intents[row] in absent else intents[row], prediction)
            for row, prediction in zip(unseen, predictions, strict=True)
        ]
    return judged


def choose_gate(
    judged: Sequence[Judged], *, most_lost: float = 0.03, least_refused: float | None = None, start: Gate | None = None
) -> OperatingPoint:
    """Return the operating point that refuses most of what is out of scope while losing at most `most_lost` in scope.

    What is lost is the share of our messages that would have been understood without the gate, and are refused by it.
    With `least_refused`, instead the one that understands most of ours while refusing at least that share; when none
    refuses so much, the one that refuses most. Raises ValueError when the messages are not of both kinds.
    """
    start = start or Gate()
    points = [
        point
        for confidence, margin, similarity in _WEIGHTS
        for point in _points(
            judged,
            replace(start, confidence_weight=confidence, margin_weight=margin, similarity_weight=similarity),
        )
    ]
    if least_refused is not None:
        return max(points, key=lambda point: (min(point.refused_out_of_scope, least_refused), point.accuracy_in_scope))
    bearable = [point for point in points if point.accuracy_without_gate - point.accuracy_in_scope <= most_lost]
    return max(bearable, key=lambda point: (point.refused_out_of_scope, point.accuracy_in_scope))


def _points(judged: Sequence[Judged], gate: Gate) -> list[OperatingPoint]:
    """What the gate's weights give at each threshold, 0 among them."""
    ours = np.array([one.intent != gate.out_of_scope for one in judged])
    if ours.all() or not ours.any():
        raise ValueError("A gate can be chosen only from messages in scope and messages out of scope.")
    right = np.array([one.prediction.ranking[0][0] == one.intent for one in judged])
    outright = np.array([one.prediction.ranking[0][0] == gate.out_of_scope for one in judged])
    scores = _scores(judged, gate)
    points = []
    for threshold in (0.0, *_THRESHOLDS):
        passed = (scores >= threshold) & ~outright
        points.append(
            OperatingPoint(
                gate=replace(gate, threshold=round(float(threshold), 2)),
                accuracy_in_scope=float((right & passed)[ours].mean()),
                accuracy_without_gate=float(right[ours].mean()),
                refused_out_of_scope=float((~passed)[~ours].mean()),
            )
        )
    return points


def _scores(judged: Sequence[Judged], gate: Gate) -> npt.NDArray[np.float64]:
    weights = np.array([gate.confidence_weight, gate.margin_weight, gate.similarity_weight])
    signals = [(one.prediction.signals) for one in judged]
    values = np.array([(signal.confidence, signal.margin, signal.similarity) for signal in signals])
    scores: npt.NDArray[np.float64] = values @ weights / weights.sum()
    return scores
