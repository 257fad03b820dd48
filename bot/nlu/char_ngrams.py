"""Character n-grams weighted by TF-IDF: fitted with scikit-learn, computed without it when serving."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

SHORTEST, LONGEST = 2, 4


@dataclass(frozen=True)
class CharNgrams:
    """A fitted vocabulary: each n-gram's column, and the columns' inverse document frequencies."""

    columns: Mapping[str, int]
    idf: npt.NDArray[np.float32]

    @classmethod
    def fit(cls, texts: Sequence[str]) -> "CharNgrams":
        """Learn the n-grams of the texts. Needs scikit-learn."""
        from sklearn.feature_extraction.text import TfidfVectorizer

        vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(SHORTEST, LONGEST), sublinear_tf=True)
        vectorizer.fit(texts)
        columns = {ngram: int(column) for ngram, column in vectorizer.vocabulary_.items()}
        return cls(columns, np.asarray(vectorizer.idf_, dtype=np.float32))

    def row(self, text: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        """Return the columns present in the text, ascending, and their weights, scaled to length 1.

        The same numbers as scikit-learn's TfidfVectorizer(analyzer="char_wb", sublinear_tf=True).
        """
        counts = Counter(column for ngram in _ngrams(text) if (column := self.columns.get(ngram)) is not None)
        columns = np.array(sorted(counts), dtype=np.int64)
        frequency = np.array([counts[column] for column in columns.tolist()], dtype=np.float32)
        weights = (1.0 + np.log(frequency)) * self.idf[columns]
        length = np.linalg.norm(weights)
        return columns, (weights / length if length else weights).astype(np.float32)

    def matrix(self, texts: Sequence[str]) -> Any:
        """Return the rows of the texts as a scipy.sparse CSR matrix, float32 [texts, n-grams]. Needs scipy."""
        from scipy.sparse import csr_matrix

        rows = [self.row(text) for text in texts]
        starts = np.cumsum([0, *(len(columns) for columns, _ in rows)])
        return csr_matrix(
            (
                np.concatenate([weights for _, weights in rows]),
                np.concatenate([columns for columns, _ in rows]),
                starts,
            ),
            shape=(len(texts), len(self.columns)),
        )


def _ngrams(text: str) -> Iterator[str]:
    for word in text.lower().split():
        padded = f" {word} "
        for size in range(SHORTEST, LONGEST + 1):
            if len(padded) <= size:
                yield padded
                break
            for start in range(len(padded) - size + 1):
                yield padded[start : start + size]
