"""The intent classifier: what it learns from a handful of examples, and what it refuses."""

from pathlib import Path

import numpy as np
import pytest

from bot.nlu.canonical import canonical
from bot.nlu.char_ngrams import CharNgrams
from bot.nlu.embedding import SentenceEncoderModel
from bot.nlu.intent_model import Gate, IntentModel, name_in_words

EXAMPLES = {
    "track_order": ["where is my order", "when does my parcel arrive", "track TC-10002", "has it shipped yet"],
    "opening_hours": ["when do you open", "are you open on sunday", "closing time?", "what are your hours"],
    "greet": ["hello", "hi there", "good morning", "hey"],
    "out_of_scope": ["tell me a joke", "who is the president", "asdf qwer", "book a taxi", "what is 2 plus 2"],
}
TEXTS = [text for texts in EXAMPLES.values() for text in texts]
INTENTS = [intent for intent, texts in EXAMPLES.items() for _ in texts]


@pytest.fixture(scope="module")
def model(encoder: SentenceEncoderModel) -> IntentModel:
    return IntentModel.fit_texts(encoder, TEXTS, INTENTS)


def intent_of(model: IntentModel, encoder: SentenceEncoderModel, text: str) -> str:
    return model.predict_texts(encoder, [text])[0].intent


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("where's my package?", "track_order"),
        ("wheres my ordr", "track_order"),
        ("at what time do you open tomorrow", "opening_hours"),
        ("hello!", "greet"),
    ],
)
def test_new_wordings_and_misspellings_are_understood(
    model: IntentModel, encoder: SentenceEncoderModel, text: str, intent: str
) -> None:
    assert intent_of(model, encoder, text) == intent


@pytest.mark.parametrize(
    "text", ["zxcv bnmq wert", "\U0001f921\U0001f921", "who won the world cup in 1998", "", "\ud800", "sudo rm -rf /"]
)
def test_gibberish_and_other_subjects_are_out_of_scope(
    model: IntentModel, encoder: SentenceEncoderModel, text: str
) -> None:
    assert intent_of(model, encoder, text) == "out_of_scope"


def test_without_out_of_scope_examples_the_gate_still_refuses_what_resembles_nothing(
    encoder: SentenceEncoderModel,
) -> None:
    ours = [(text, intent) for text, intent in zip(TEXTS, INTENTS, strict=True) if intent != "out_of_scope"]
    model = IntentModel.fit_texts(encoder, *zip(*ours, strict=True))

    (prediction,) = model.predict_texts(encoder, ["the mitochondrion is the powerhouse of the cell"])

    assert prediction.refused and prediction.intent == "out_of_scope"
    assert prediction.ranking[0][0] in EXAMPLES
    assert prediction.signals.score < model.gate.threshold


def test_a_refusal_keeps_the_ranking_and_an_open_gate_returns_its_first(encoder: SentenceEncoderModel) -> None:
    closed = IntentModel.fit_texts(encoder, TEXTS, INTENTS, Gate(threshold=1.0))
    opened = IntentModel.fit_texts(encoder, TEXTS, INTENTS, Gate(threshold=0.0))

    (refused,) = closed.predict_texts(encoder, ["where is my parcel"])
    (accepted,) = opened.predict_texts(encoder, ["where is my parcel"])

    assert refused.intent == "out_of_scope" and accepted.intent == "track_order"
    assert refused.ranking == accepted.ranking
    assert sum(probability for _, probability in refused.ranking) == pytest.approx(1.0, abs=1e-5)


def test_the_out_of_scope_intent_can_have_another_name(encoder: SentenceEncoderModel) -> None:
    model = IntentModel.fit_texts(encoder, TEXTS, INTENTS, Gate(out_of_scope="nothing_of_ours", threshold=1.0))

    assert intent_of(model, encoder, "hello") == "nothing_of_ours"


def test_the_number_and_the_address_in_a_message_make_no_difference(
    model: IntentModel, encoder: SentenceEncoderModel
) -> None:
    first, second = model.predict_texts(encoder, ["TC-10002 is late, ana@x.com", "TC-98765 is late, jo.b@example.org"])

    assert first == second
    assert canonical("open 24/7 for 2 cups") == "open 24/7 for 2 cups"


def test_a_stored_model_predicts_exactly_the_same_and_holds_no_pickle(
    model: IntentModel, encoder: SentenceEncoderModel, tmp_path: Path
) -> None:
    model.save(tmp_path)
    loaded = IntentModel.load(tmp_path)
    texts = [*TEXTS, "where's my stuff?", "zxcv", ""]

    assert loaded.predict_texts(encoder, texts) == model.predict_texts(encoder, texts)
    assert {path.suffix for path in tmp_path.iterdir()} == {".npz", ".json"}
    with np.load(tmp_path / "intents.npz", allow_pickle=False) as numbers:
        assert all(numbers[name].dtype != object for name in numbers)


def test_two_intents_are_enough_and_one_is_not(encoder: SentenceEncoderModel) -> None:
    model = IntentModel.fit_texts(
        encoder, ["hello", "hi", "where is my order", "track it"], ["greet"] * 2 + ["track"] * 2
    )

    assert intent_of(model, encoder, "hi!") == "greet"
    assert intent_of(model, encoder, "where is the order") == "track"
    with pytest.raises(ValueError, match="at least two intents"):
        IntentModel.fit_texts(encoder, ["hello", "hi"], ["greet", "greet"])


def test_character_ngrams_are_weighted_as_scikit_learn_weights_them() -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = ["Where is my ORDER", "a", "  when  do you\topen?? ", "ooooh", "\u0130stanbul caf\u00e9", ""]
    reference = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True).fit(texts)

    ours = CharNgrams.fit(texts).matrix([*texts, "unseen words"]).toarray()

    assert np.allclose(ours, reference.transform([*texts, "unseen words"]).toarray(), atol=1e-6)


def test_a_name_in_words_is_how_a_person_would_say_it() -> None:
    assert name_in_words("contact_human_agent") == "contact human agent"
