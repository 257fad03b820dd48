"""The sentence encoder at work: text in, unit vectors out, with onnxruntime and tokenizers alone."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime
from tokenizers import Tokenizer

Vectors = npt.NDArray[np.float32]

GRAPH_FILE = "encoder.int8.onnx"
TOKENIZER_FILE = "tokenizer.json"
DIMENSIONS = 384
MAX_TOKENS = 128
_MARKERS = 2  # [CLS] and [SEP], which every text is given

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class SentenceEncoderModel:
    """all-MiniLM-L6-v2 with int8 weights, as built by `bot.nlu.minilm`.

    One thread: on messages of a few dozen tokens more threads are slower. Safe to share between threads.
    """

    def __init__(self, graph: Path, tokenizer: Path) -> None:
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
        """Load the encoder from the folder that `bot.nlu.minilm.build_encoder` wrote."""
        return cls(folder / GRAPH_FILE, folder / TOKENIZER_FILE)

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
