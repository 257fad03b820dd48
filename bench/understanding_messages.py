"""What understanding is measured with: files of examples, and models, shipped or trained for the purpose."""

from __future__ import annotations

import csv
import json
import random
import tarfile
import time
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from bot.nlu.embedding import SentenceEncoderModel
from bot.nlu.intent_model import Gate, IntentModel, Prediction
from bot.nlu.typos import add_typos

OUT_OF_SCOPE = Gate().out_of_scope
# What HINT3 calls a message that is none of ours.
HINT3_OUT_OF_SCOPE = "NO_NODES_DETECTED"

Examples = tuple[list[str], list[str]]
Understanding = tuple[SentenceEncoderModel, IntentModel]


class UnderstandingError(Exception):
    """What was asked for cannot be measured; the sentence says why."""


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


def misspell(texts: Sequence[str], seed: int) -> list[str]:
    """The texts with one or two typing errors each."""
    source = random.Random(seed)
    return [add_typos(text, source) for text in texts]
