"""The sentence encoder, built once for all these tests."""

from pathlib import Path

import pytest

from bot.nlu.embedding import SentenceEncoderModel


@pytest.fixture(scope="session")
def encoder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from bot.nlu import minilm

    folder = tmp_path_factory.mktemp("encoder")
    minilm.build_encoder(minilm.find_weights(), folder)
    return folder


@pytest.fixture(scope="session")
def encoder(encoder_folder: Path) -> SentenceEncoderModel:
    return SentenceEncoderModel.from_folder(encoder_folder)
