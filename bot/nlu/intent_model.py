"""Which intent a message has, and whether it has one of ours at all: logistic regression behind a scope gate."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bot.nlu.canonical import canonical
from bot.nlu.char_ngrams import CharNgrams
from bot.nlu.embedding import SentenceEncoderModel, Vectors

WEIGHTS_FILE = "intents.npz"
NAMES_FILE = "intents.json"


@dataclass(frozen=True)
class Gate:
    """When a message counts as one of ours.

    It is refused when the intent named `out_of_scope` wins outright, and when the weighted mean of confidence, margin
    and similarity falls below `threshold`. Weights need not sum to one; threshold 0 switches the second test off.
    The defaults were chosen by `python -m bench.understanding --choose-gate`: by cross-validation on our own examples,
    with whole intents held out as out of scope, the gate that refuses most for three points of accuracy in scope.
    """

    out_of_scope: str = "out_of_scope"
    threshold: float = 0.4
    confidence_weight: float = 1.0
    margin_weight: float = 0.0
    similarity_weight: float = 0.5


@dataclass(frozen=True)
class Signals:
    """What the gate looked at, each between 0 and 1.

    confidence: the probability of the likeliest intent of ours; margin: its lead over the next intent of any kind;
    similarity: the cosine to the nearest training example of ours; score: their weighted mean.
    """

    confidence: float
    margin: float
    similarity: float
    score: float


@dataclass(frozen=True)
class Prediction:
    """The intent, how sure it is, every intent by falling probability, and the gate's signals.

    After a refusal `intent` is the out-of-scope intent, and the ranking is what it would have been without the gate.
    """

    intent: str
    confidence: float
    ranking: tuple[tuple[str, float], ...]
    signals: Signals
    refused: bool


def name_in_words(intent: str) -> str:
    """Return the intent's own name as a phrase: `track_order` is "track order"."""
    return intent.replace("_", " ").replace("/", " ").strip()


def training_examples(texts: Sequence[str], intents: Sequence[str], out_of_scope: str) -> tuple[list[str], list[str]]:
    """Return the examples as they are learned from: canonical, each intent's own name being one more example of it."""
    named = sorted(set(intents) - {out_of_scope})
    return [*map(canonical, texts), *map(name_in_words, named)], [*intents, *named]


class IntentModel:
    """Multinomial logistic regression on the sentence vector beside half-weighted character n-grams.

    Fitting needs scikit-learn; loading and predicting need numpy alone. Immutable once made, so safe to share.
    """

    CHAR_WEIGHT = 0.5
    REGULARISATION_C = 5.0

    def __init__(
        self,
        intents: Sequence[str],
        ngrams: CharNgrams,
        vector_weights: Vectors,
        ngram_weights: Vectors,
        bias: Vectors,
        examples: Vectors,
        example_intents: npt.NDArray[np.int64],
        gate: Gate,
    ) -> None:
        self.intents = tuple(intents)
        self.gate = gate
        self._ngrams = ngrams
        self._vector_weights = vector_weights
        self._ngram_weights = ngram_weights
        self._bias = bias
        self._examples = examples
        self._example_intents = example_intents
        self._ours = np.array([intent != gate.out_of_scope for intent in self.intents])
        self._our_examples = examples[self._ours[example_intents]]

    @classmethod
    def fit(
        cls, texts: Sequence[str], vectors: Vectors, intents: Sequence[str], gate: Gate | None = None
    ) -> "IntentModel":
        """Learn from one text, its vector [384] and its intent per example.

        Raises ValueError when there are fewer than two intents. The same examples give the same model.
        """
        from scipy.sparse import csr_matrix, hstack
        from sklearn.linear_model import LogisticRegression

        names, targets = np.unique(np.asarray(intents), return_inverse=True)
        if len(names) < 2:
            raise ValueError("The intent classifier needs examples of at least two intents.")
        ngrams = CharNgrams.fit(texts)
        features = hstack([csr_matrix(vectors), cls.CHAR_WEIGHT * ngrams.matrix(texts)], format="csr")
        regression = LogisticRegression(C=cls.REGULARISATION_C, max_iter=1000)
        regression.fit(features, targets)
        weights, bias = regression.coef_, regression.intercept_
        if len(names) == 2:  # scikit-learn keeps one row for two classes: the other one's scores are all zero.
            weights, bias = np.vstack([0 * weights, weights]), np.append(0.0, bias)
        split = vectors.shape[1]
        return cls(
            intents=names.tolist(),
            ngrams=ngrams,
            vector_weights=weights[:, :split].T.astype(np.float32),
            ngram_weights=np.ascontiguousarray(cls.CHAR_WEIGHT * weights[:, split:].T, dtype=np.float32),
            bias=bias.astype(np.float32),
            examples=vectors.astype(np.float32),
            example_intents=targets.astype(np.int64),
            gate=gate or Gate(),
        )

    @classmethod
    def fit_texts(
        cls, encoder: SentenceEncoderModel, texts: Sequence[str], intents: Sequence[str], gate: Gate | None = None
    ) -> "IntentModel":
        """Learn from plain texts as the Rasa pipeline does, with each intent's own name as one more example of it."""
        gate = gate or Gate()
        texts, intents = training_examples(texts, intents, gate.out_of_scope)
        return cls.fit(texts, encoder.encode(texts), intents, gate)

    def predict(self, text: str, vector: Vectors) -> Prediction:
        """Return the intent of a text, given its vector [384] from the encoder that the model was fitted with."""
        probabilities = self._probabilities(text, vector)
        order = np.argsort(-probabilities, kind="stable")
        ranking = tuple((self.intents[i], float(probabilities[i])) for i in order)
        signals = self._signals(probabilities, vector)
        winner, confidence = ranking[0]
        if winner == self.gate.out_of_scope:
            return Prediction(winner, confidence, ranking, signals, refused=True)
        if signals.score < self.gate.threshold:
            return Prediction(self.gate.out_of_scope, 1.0 - signals.score, ranking, signals, refused=True)
        return Prediction(winner, confidence, ranking, signals, refused=False)

    def predict_texts(self, encoder: SentenceEncoderModel, texts: Sequence[str]) -> list[Prediction]:
        """Return one prediction for each plain text, as the Rasa pipeline would."""
        texts = [encoder.read(text) for text in texts]
        return [self.predict(text, vector) for text, vector in zip(texts, encoder.encode(texts), strict=True)]

    def _probabilities(self, text: str, vector: Vectors) -> Vectors:
        columns, weights = self._ngrams.row(text)
        scores = vector @ self._vector_weights + weights @ self._ngram_weights[columns] + self._bias
        exponents = np.exp(scores - scores.max())
        probabilities: Vectors = exponents / exponents.sum()
        return probabilities

    def _signals(self, probabilities: Vectors, vector: Vectors) -> Signals:
        ours = np.where(self._ours, probabilities, -1.0)
        best = int(ours.argmax())
        confidence = max(float(ours[best]), 0.0)
        margin = max(confidence - float(np.delete(probabilities, best).max()), 0.0)
        similarity = float((self._our_examples @ vector).max()) if len(self._our_examples) else 0.0
        similarity = min(max(similarity, 0.0), 1.0)
        gate = self.gate
        weights = np.array([gate.confidence_weight, gate.margin_weight, gate.similarity_weight])
        score = float(weights @ np.array([confidence, margin, similarity]) / weights.sum())
        return Signals(confidence, margin, similarity, score)

    def save(self, folder: Path) -> None:
        """Write the model into the folder as numbers (npz) and names (JSON). The gate is not part of it."""
        np.savez(
            folder / WEIGHTS_FILE,
            idf=self._ngrams.idf,
            vector_weights=self._vector_weights,
            ngram_weights=self._ngram_weights,
            bias=self._bias,
            examples=self._examples,
            example_intents=self._example_intents,
        )
        names = {"intents": self.intents, "ngrams": sorted(self._ngrams.columns, key=self._ngrams.columns.__getitem__)}
        (folder / NAMES_FILE).write_text(json.dumps(names, ensure_ascii=True), encoding="ascii")

    @classmethod
    def load(cls, folder: Path, gate: Gate | None = None) -> "IntentModel":
        """Read a model that `save` wrote. Raises FileNotFoundError when there is none."""
        names = json.loads((folder / NAMES_FILE).read_text(encoding="ascii"))
        columns = {ngram: column for column, ngram in enumerate(names["ngrams"])}
        with np.load(folder / WEIGHTS_FILE, allow_pickle=False) as numbers:
            return cls(
                intents=names["intents"],
                ngrams=CharNgrams(columns, numbers["idf"]),
                vector_weights=numbers["vector_weights"],
                ngram_weights=numbers["ngram_weights"],
                bias=numbers["bias"],
                examples=numbers["examples"],
                example_intents=numbers["example_intents"],
                gate=gate or Gate(),
            )
