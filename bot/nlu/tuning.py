"""Tunes the sentence encoder's upper layers on a project's own examples, with TensorFlow, when training."""

import importlib
import logging
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from bot.nlu.embedding import DIMENSIONS, HEADS, LAYERS, Weights
from bot.nlu.typos import add_typos

logger = logging.getLogger(__name__)

MAX_TOKENS = 64


@dataclass(frozen=True)
class Tuning:
    """How the encoder is tuned.

    The layers from `first_layer` on learn, at `learning_rate`, for `epochs` rounds, or for fewer when that would be
    more than `most_seen` texts in all, but not below `fewest_epochs`; with `epochs` 0 nothing is learned. `scale` is
    the inverse temperature of the softmax over cosines. In each round a share `typos` of the examples is shown with
    typing errors.
    """

    first_layer: int = 1
    epochs: int = 8
    fewest_epochs: int = 3
    most_seen: int = 16_000
    batch: int = 32
    learning_rate: float = 1.5e-4
    scale: float = 16.0
    dropout: float = 0.1
    typos: float = 0.3
    seed: int = 0

    def rounds(self, examples: int) -> int:
        """How many times each of so many examples is shown."""
        return min(self.epochs, max(self.fewest_epochs, self.most_seen // max(examples, 1)))


def tune(
    weights: Weights,
    tokenizer: Path,
    texts: Sequence[str],
    intents: Sequence[str],
    tuning: Tuning | None = None,
    *,
    read: Callable[[str], str] = str,
) -> dict[str, npt.NDArray[Any]]:
    """Return the encoder's weights, tuned so that texts of one intent lie close together and away from the others.

    The loss is the cross-entropy of a softmax over the cosines to one learnt prototype for each intent (Snell et al.
    2017, arXiv:1703.05175; Wang et al. 2018, arXiv:1801.05599), which starts as the mean of its examples. Optimised
    with Adam (Kingma and Ba 2015, arXiv:1412.6980), the rate rising for a tenth of the steps and then falling to 0.
    `read` is what becomes of a misspelt text before the encoder sees it: typing errors are learnt as they are left.
    """
    tuning = tuning or Tuning()
    names, targets = np.unique(np.asarray(intents), return_inverse=True)
    rounds = tuning.rounds(len(texts))
    if not rounds or len(names) < 2:
        return dict(weights)
    tf: Any = importlib.import_module("tensorflow")
    random_source = random.Random(tuning.seed)  # noqa: S311 - shuffles examples
    tf.random.set_seed(tuning.seed)
    word_pieces = Tokenizer.from_file(str(tokenizer))
    word_pieces.no_padding()
    word_pieces.enable_truncation(MAX_TOKENS)
    encoder = _TunableEncoder(tf, weights, tuning)
    plain = [encoding.ids for encoding in word_pieces.encode_batch(list(texts))]
    prototypes = tf.Variable(_means(encoder.encode(plain), targets, len(names)))
    steps = rounds * -(-len(texts) // tuning.batch)
    optimiser = _Optimiser(tf, [*encoder.learning, prototypes], [1.0] * len(encoder.learning) + [20.0])
    learn = _step(tf, encoder, prototypes, optimiser, tuning)
    began, step = time.monotonic(), 0
    for number in range(rounds):
        shown = [
            read(add_typos(text, random_source)) if random_source.random() < tuning.typos else text for text in texts
        ]
        pieces = [encoding.ids for encoding in word_pieces.encode_batch(shown)]
        losses = []
        for rows in _batches([len(ids) for ids in pieces], tuning.batch, random_source):
            step += 1
            ids, mask = _pad([pieces[row] for row in rows])
            rate = tuning.learning_rate * min(step / (0.1 * steps), (steps - step) / (0.9 * steps))
            losses.append(float(learn(ids, mask, targets[rows], np.float32(rate), np.float32(step))))
        logger.info(
            "Tuning the encoder: round %d of %d, loss %.3f, %.0f s",
            number + 1, rounds, float(np.mean(losses)), time.monotonic() - began,
        )  # fmt: skip
    return {**weights, **encoder.tuned()}


def _means(vectors: npt.NDArray[np.float32], targets: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.float32]:
    means = np.stack([vectors[targets == target].mean(axis=0) for target in range(count)])
    scaled: npt.NDArray[np.float32] = (means / np.linalg.norm(means, axis=1, keepdims=True)).astype(np.float32)
    return scaled


def _batches(lengths: Sequence[int], size: int, random_source: random.Random) -> Iterator[list[int]]:
    """Batches in random order, each of texts about equally long, so that little is padding."""
    order = list(range(len(lengths)))
    random_source.shuffle(order)
    span = 16 * size
    order = [row for at in range(0, len(order), span) for row in sorted(order[at : at + span], key=lengths.__getitem__)]
    batches = [order[at : at + size] for at in range(0, len(order), size)]
    random_source.shuffle(batches)
    yield from batches


def _pad(pieces: Sequence[Sequence[int]]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    width = max(map(len, pieces))
    ids = np.zeros((len(pieces), width), dtype=np.int32)
    mask = np.zeros((len(pieces), width), dtype=np.float32)
    for row, text in enumerate(pieces):
        ids[row, : len(text)] = text
        mask[row, : len(text)] = 1.0
    return ids, mask


def _step(tf: Any, encoder: "_TunableEncoder", prototypes: Any, optimiser: "_Optimiser", tuning: Tuning) -> Any:
    def learn(ids: Any, mask: Any, targets: Any, rate: Any, step: Any) -> Any:
        below = encoder.below(ids, mask)
        with tf.GradientTape() as tape:
            vectors = encoder.above(below, mask, tuning.dropout)
            cosines = tf.matmul(vectors, tf.math.l2_normalize(prototypes, axis=-1), transpose_b=True)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=targets, logits=tuning.scale * cosines)
            loss = tf.reduce_mean(losses)
        optimiser.apply(tape.gradient(loss, optimiser.variables), rate, step)
        return loss

    matrix, number = tf.TensorSpec([None, None], tf.float32), tf.TensorSpec([], tf.float32)
    ids = tf.TensorSpec([None, None], tf.int32)
    signature = [ids, matrix, tf.TensorSpec([None], tf.int64), number, number]
    return tf.function(learn, input_signature=signature, autograph=False)


class _Optimiser:
    """Adam on a few variables, each with its own multiple of the rate, and gradients clipped to length 1."""

    def __init__(self, tf: Any, variables: Sequence[Any], multiples: Sequence[float]) -> None:
        self._tf = tf
        self.variables = list(variables)
        self._multiples = multiples
        self._first = [tf.Variable(tf.zeros_like(variable)) for variable in variables]
        self._second = [tf.Variable(tf.zeros_like(variable)) for variable in variables]

    def apply(self, gradients: Sequence[Any], rate: Any, step: Any) -> None:
        clipped, _ = self._tf.clip_by_global_norm(gradients, 1.0)
        for variable, gradient, first, second, multiple in zip(
            self.variables, clipped, self._first, self._second, self._multiples, strict=True
        ):
            # TensorFlow's own kernel: written out, these few lines take as long as the rest of a step.
            self._tf.raw_ops.ResourceApplyAdam(
                var=variable.handle, m=first.handle, v=second.handle, grad=gradient, lr=rate * multiple,
                beta1=0.9, beta2=0.999, beta1_power=0.9**step, beta2_power=0.999**step, epsilon=1e-6,
            )  # fmt: skip


class _TunableEncoder:
    """all-MiniLM-L6-v2 in TensorFlow, the arithmetic of `bot.nlu.minilm.build_graph`, with variable upper layers."""

    def __init__(self, tf: Any, weights: Weights, tuning: Tuning) -> None:
        self._tf = tf
        self._first = tuning.first_layer
        upper = tuple(f"encoder.layer.{number}." for number in range(self._first, LAYERS))
        used = {name: value for name, value in weights.items() if name.startswith(("embeddings.", "encoder."))}
        self._weights = {
            name: tf.Variable(value) if name.startswith(upper) else tf.constant(value) for name, value in used.items()
        }
        self._learning = [name for name in used if name.startswith(upper)]
        spec = [tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([None, None], tf.float32)]
        self._encode = tf.function(lambda ids, mask: self.above(self.below(ids, mask), mask), spec, autograph=False)

    @property
    def learning(self) -> list[Any]:
        return [self._weights[name] for name in self._learning]

    def tuned(self) -> dict[str, npt.NDArray[np.float32]]:
        return {name: self._weights[name].numpy() for name in self._learning}

    def encode(self, pieces: Sequence[Sequence[int]]) -> npt.NDArray[np.float32]:
        vectors = np.zeros((len(pieces), DIMENSIONS), dtype=np.float32)
        order = sorted(range(len(pieces)), key=lambda row: len(pieces[row]))
        for at in range(0, len(order), 64):
            rows = order[at : at + 64]
            vectors[rows] = self._encode(*_pad([pieces[row] for row in rows])).numpy()
        return vectors

    def below(self, ids: Any, mask: Any) -> Any:
        """The hidden states that enter the first layer that learns."""
        tf, weights = self._tf, self._weights
        words = tf.gather(weights["embeddings.word_embeddings.weight"], ids)
        places = weights["embeddings.position_embeddings.weight"][: tf.shape(ids)[1]]
        hidden = words + places + weights["embeddings.token_type_embeddings.weight"][0]
        hidden = self._norm(hidden, "embeddings.LayerNorm")
        for number in range(self._first):
            hidden = self._layer(hidden, mask, f"encoder.layer.{number}", 0.0)
        return hidden

    def above(self, hidden: Any, mask: Any, dropout: float = 0.0) -> Any:
        """The sentence vectors: the layers that learn, mean pooling, length 1."""
        for number in range(self._first, LAYERS):
            hidden = self._layer(hidden, mask, f"encoder.layer.{number}", dropout)
        weight = mask[:, :, None]
        mean = self._tf.reduce_sum(hidden * weight, 1) / self._tf.reduce_sum(weight, 1)
        return self._tf.math.l2_normalize(mean, axis=-1)

    def _layer(self, hidden: Any, mask: Any, name: str, dropout: float) -> Any:
        attended = self._attend(hidden, mask, f"{name}.attention", dropout)
        hidden = self._norm(hidden + attended, f"{name}.attention.output.LayerNorm")
        wide = self._tf.nn.gelu(self._linear(hidden, f"{name}.intermediate.dense"), approximate=False)
        narrow = self._drop(self._linear(wide, f"{name}.output.dense"), dropout)
        return self._norm(hidden + narrow, f"{name}.output.LayerNorm")

    def _attend(self, hidden: Any, mask: Any, name: str, dropout: float) -> Any:
        tf = self._tf
        texts, tokens = tf.shape(hidden)[0], tf.shape(hidden)[1]

        def heads(part: str) -> Any:
            split = tf.reshape(self._linear(hidden, f"{name}.self.{part}"), [texts, tokens, HEADS, DIMENSIONS // HEADS])
            return tf.transpose(split, [0, 2, 1, 3])

        scores = tf.matmul(heads("query"), heads("key"), transpose_b=True) / (DIMENSIONS // HEADS) ** 0.5
        attention = self._drop(tf.nn.softmax(scores - 1e9 * (1.0 - mask[:, None, None, :]), axis=-1), dropout)
        mixed = tf.transpose(tf.matmul(attention, heads("value")), [0, 2, 1, 3])
        output = self._linear(tf.reshape(mixed, [texts, tokens, DIMENSIONS]), f"{name}.output.dense")
        return self._drop(output, dropout)

    def _linear(self, value: Any, name: str) -> Any:
        return self._tf.tensordot(value, self._weights[f"{name}.weight"], [[2], [1]]) + self._weights[f"{name}.bias"]

    def _norm(self, value: Any, name: str) -> Any:
        centred = value - self._tf.reduce_mean(value, -1, keepdims=True)
        scale = self._tf.math.rsqrt(self._tf.reduce_mean(centred * centred, -1, keepdims=True) + 1e-12)
        return centred * scale * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]

    def _drop(self, value: Any, dropout: float) -> Any:
        return self._tf.nn.dropout(value, dropout) if dropout else value
