"""The sentence encoder at work: text in, unit vectors out, with onnxruntime and tokenizers alone."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
from tokenizers import Tokenizer

from bot.nlu.canonical import canonical
from bot.nlu.spelling import Speller

Vectors = npt.NDArray[np.float32]
Weights = Mapping[str, npt.NDArray[Any]]

GRAPH_FILE = "encoder.int8.onnx"
TOKENIZER_FILE = "tokenizer.json"
DIMENSIONS = 384
LAYERS = 6
HEADS = 12
MAX_TOKENS = 128
_MARKERS = 2  # [CLS] and [SEP], which every text is given

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class SentenceEncoderModel:
    """all-MiniLM-L6-v2 with int8 weights, as built by `bot.nlu.training`, and the speller that goes with it.

    One thread: on messages of a few dozen tokens more threads are slower. Safe to share between threads.
    """

    def __init__(self, graph: Path, tokenizer: Path, speller: Speller | None = None) -> None:
        self._speller = speller or Speller({}, [])
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
        self._tokenizer: Tokenizer = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS)

    @classmethod
    def from_folder(cls, folder: Path) -> "SentenceEncoderModel":
        """Load the encoder from the folder that `bot.nlu.training.build_encoder` wrote."""
        return cls(folder / GRAPH_FILE, folder / TOKENIZER_FILE, Speller.load(folder))

    def read(self, text: str) -> str:
        """Return the text as it is to be understood: its particulars made alike, its misspelt words put right."""
        return self._speller.correct(canonical(text))

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return one unit vector for each text, float32 [len(texts), 384]; zeros for a text without a word piece.

        Only the first 128 word pieces of a text count. The vector depends on the text alone, never on the
        other texts in the call.
        """
        # One at a time: int8 scales are taken over a whole batch, so that a text would be encoded differently in other
        # company, when training and when serving. A batch would be 1.3 times as fast.
        vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        for row, text in enumerate(texts):
            # JSON can carry half of a surrogate pair, which the tokenizer refuses.
            ids = self._tokenizer.encode(_LONE_SURROGATE.sub("\ufffd", text)).ids
            if len(ids) > _MARKERS:
                vectors[row] = self._encode_ids(ids)
        return vectors

    def _encode_ids(self, ids: list[int]) -> Vectors:
        input_ids = np.array([ids], dtype=np.int64)
        inputs = {"input_ids": input_ids, "attention_mask": np.ones_like(input_ids)}
        vector: Vectors = self._session.run(None, inputs)[0][0]
        return vector
