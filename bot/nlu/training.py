"""The whole of understanding trained on plain texts, as `rasa train` does it. Imported only when training."""

from collections.abc import Sequence
from pathlib import Path

from tokenizers import Tokenizer

from bot.nlu import minilm
from bot.nlu.embedding import TOKENIZER_FILE, SentenceEncoderModel
from bot.nlu.intent_model import Gate, IntentModel, training_examples
from bot.nlu.spelling import Speller
from bot.nlu.tuning import Tuning, tune


def build_encoder(texts: Sequence[str], intents: Sequence[str], folder: Path, tuning: Tuning | None = None) -> None:
    """Write an encoder tuned on these examples (see `training_examples`) into the folder, and a speller of their words.

    Raises WeightsError when the published weights are missing or altered.
    """
    source = minilm.find_weights()
    speller = Speller.learn(texts, Tokenizer.from_file(str(source / TOKENIZER_FILE)).get_vocab())
    published = minilm.read_weights(source)
    weights = tune(published, source / TOKENIZER_FILE, texts, intents, tuning, read=speller.correct)
    minilm.build_encoder(source, folder, weights)
    speller.save(folder)


def train_understanding(
    texts: Sequence[str],
    intents: Sequence[str],
    folder: Path,
    *,
    gate: Gate | None = None,
    tuning: Tuning | None = None,
) -> tuple[SentenceEncoderModel, IntentModel]:
    """Tune an encoder on the examples, keep it in the folder, and fit the intent classifier on top of it.

    Raises ValueError when there are fewer than two intents.
    """
    gate = gate or Gate()
    build_encoder(*training_examples(texts, intents, gate.out_of_scope), folder, tuning)
    encoder = SentenceEncoderModel.from_folder(folder)
    return encoder, IntentModel.fit_texts(encoder, texts, intents, gate)
