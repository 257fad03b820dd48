"""The encoder tuned on examples, and the operating point chosen from them."""

from pathlib import Path

import numpy as np
import pytest

from bot.nlu import minilm
from bot.nlu.embedding import TOKENIZER_FILE, SentenceEncoderModel
from bot.nlu.gate_choice import Judged, choose_gate
from bot.nlu.intent_model import Prediction, Signals
from bot.nlu.training import train_understanding
from bot.nlu.tuning import Tuning, tune

# Alike in wording, different in intent: what the published encoder cannot know.
EXAMPLES = {
    "cancel": ["cancel my order", "please cancel the order", "I want the order cancelled", "stop my order"],
    "track": ["track my order", "please track the order", "I want the order tracked", "follow my order"],
}
TEXTS = [text for texts in EXAMPLES.values() for text in texts]
INTENTS = [intent for intent, texts in EXAMPLES.items() for _ in texts]


def separation(encoder: SentenceEncoderModel) -> float:
    cosines = encoder.encode(TEXTS) @ encoder.encode(TEXTS).T
    intents = np.array(INTENTS)
    same = intents[:, None] == intents[None, :]
    return float(cosines[same].mean() - cosines[~same].mean())


@pytest.mark.slow
def test_tuning_brings_each_intents_messages_together(encoder: SentenceEncoderModel, tmp_path: Path) -> None:
    tuned, model = train_understanding(TEXTS, INTENTS, tmp_path, tuning=Tuning(epochs=30))

    assert separation(tuned) > separation(encoder) + 0.3
    assert model.predict_texts(tuned, ["could you cancel the ordr"])[0].ranking[0][0] == "cancel"


@pytest.mark.parametrize(("intents", "tuning"), [(INTENTS, Tuning(epochs=0)), (["one"] * len(TEXTS), Tuning())])
def test_with_nothing_to_learn_the_weights_stay_as_published(intents: list[str], tuning: Tuning) -> None:
    source = minilm.find_weights()
    weights = minilm.read_weights(source)

    tuned = tune(weights, source / TOKENIZER_FILE, TEXTS, intents, tuning)

    assert all(tuned[name] is weights[name] for name in weights)


def test_large_sets_are_shown_less_often() -> None:
    tuning = Tuning(epochs=10, fewest_epochs=3, most_seen=1000)

    assert [tuning.rounds(examples) for examples in (10, 100, 200, 5000)] == [10, 10, 5, 3]


def judged(intent: str, first: str, confidence: float, similarity: float) -> Judged:
    signals = Signals(confidence, 0.0, similarity, 0.0)
    return Judged(intent, Prediction(first, confidence, ((first, confidence),), signals, refused=False))


SEEN = [
    *(judged("track", "track", 0.9, 0.9) for _ in range(98)),
    *(judged("track", "track", 0.9, 0.2) for _ in range(2)),
    *(judged("out_of_scope", "track", 0.9, 0.3) for _ in range(8)),
    *(judged("out_of_scope", "track", 0.9, 0.95) for _ in range(2)),
]


def test_the_gate_refuses_all_that_it_can_without_losing_more_than_it_may() -> None:
    point = choose_gate(SEEN, most_lost=0.03)

    assert point.refused_out_of_scope == pytest.approx(0.8) and point.accuracy_in_scope == pytest.approx(0.98)
    assert point.gate.similarity_weight > 0
    assert choose_gate(SEEN, most_lost=0.0).refused_out_of_scope == 0.0


def test_the_gate_can_be_chosen_by_what_it_must_refuse() -> None:
    assert choose_gate(SEEN, least_refused=0.5).accuracy_in_scope == pytest.approx(0.98)
    assert choose_gate(SEEN, least_refused=1.0).refused_out_of_scope == 1.0


def test_a_gate_needs_messages_of_both_kinds() -> None:
    with pytest.raises(ValueError, match="in scope and messages out of scope"):
        choose_gate(SEEN[:100])
