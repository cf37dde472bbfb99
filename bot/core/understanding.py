"""What a sentence means: the classifier itself, free of Rasa, so that training, tests and benchmarks use the same one.

Two views of a sentence, one decision. Word and character n-grams (tf-idf) see typing errors and fixed words; a sentence
embedding sees meaning. Each has a linear classifier of its own; their scores are brought to the same spread and added.
Spliced into one vector instead, raw counts drown a unit-length embedding.

A decision is one of three: act, ask a question between the likeliest two or three readings, or admit that this is
nothing we do. The thresholds stand in config.yml; `python -m bot.core.tune` chooses them on the development set
(tests/nlu/dev.yml), never on the test set. They cannot come from folds of the training data: the encoder has seen it.
"""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from typing import Any, Optional, Sequence

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion
from sklearn.svm import LinearSVC

from bot.core.encoder import Encoder

OUT_OF_SCOPE = "out_of_scope"

_DIGITS = re.compile(r"\d")
_SPACES = re.compile(r"\s+")
_REPEATS = re.compile(r"(.)\1{2,}")


def normalised(text: str) -> str:
    """Lower case, plain letters, digits as 0, no letter more than twice in a row."""
    plain = unicodedata.normalize("NFKC", text).lower().replace("\u2019", "'")
    return _REPEATS.sub(r"\1\1", _DIGITS.sub("0", _SPACES.sub(" ", plain))).strip()


@dataclasses.dataclass(frozen=True)
class Reading:
    """One possible meaning."""

    intent: str
    confidence: float


@dataclasses.dataclass(frozen=True)
class Decision:
    """What to do with a sentence: ``act`` on the first reading, ``ask`` between the readings, or ``refuse``."""

    kind: str
    readings: tuple[Reading, ...]


@dataclasses.dataclass(frozen=True)
class _Weights:
    coef_: np.ndarray
    intercept_: np.ndarray


@dataclasses.dataclass
class Thresholds:
    """When to act and when to ask, as probabilities."""

    act: float = 0.5
    """Act when the likeliest reading has at least this probability, ..."""
    lead: float = 0.1
    """... and is ahead of the second by at least this."""
    ask: float = 0.6
    """Ask when the two or three likeliest readings have at least this probability together."""
    scope: float = 0.5
    """Refuse when out-of-scope has at least this probability."""


def _vectorizer() -> FeatureUnion:
    return FeatureUnion(
        [
            (
                "word",
                TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=1, token_pattern=r"(?u)\b\w[\w']*\b"),
            ),
            (
                "char",
                TfidfVectorizer(
                    analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, min_df=2, max_features=60_000
                ),
            ),
        ]
    )


class Understanding:
    """Learns intents from examples; decides what a new sentence means."""

    def __init__(
        self,
        encoder: Encoder,
        weight: float = 0.5,
        sparse_c: float = 1.0,
        dense_c: float = 10.0,
        temperature: float = 0.5,
        thresholds: Optional[Thresholds] = None,
    ) -> None:
        """Set up an untrained classifier.

        Args:
            encoder: sentence vectors.
            weight: share of the embedding's scores in the sum, 0 to 1.
            sparse_c: inverse regularisation of the n-gram side.
            dense_c: inverse regularisation of the embedding side.
            temperature: divisor of the summed scores that makes probabilities honest.
            thresholds: when to act, ask and refuse.
        """
        self.encoder = encoder
        self.weight = weight
        self.temperature = temperature
        self.thresholds = thresholds or Thresholds()
        self.labels: list[str] = []
        self._sparse_c, self._dense_c = sparse_c, dense_c
        self._spread = (1.0, 1.0)
        self._vectorizer = _vectorizer()
        self._sparse: Any = None
        self._dense: Any = None

    # -- learning --------------------------------------------------------------------------------------------------

    def fit(self, texts: Sequence[str], intents: Sequence[str], report: Any = None) -> "Understanding":
        """Learn from examples.

        Args:
            texts: examples.
            intents: their intents.
            report: called with a line of progress.

        Raises:
            ValueError: fewer than three intents; there is nothing to ask between.
        """
        if len(set(intents)) < 3:
            raise ValueError("at least three intents are needed")
        say = report or (lambda line: None)
        clean = [normalised(text) for text in texts]
        labels = np.array(intents)
        vectors = self._embed(clean, say)
        say("fitting words and letters")
        self._vectorizer = _vectorizer()
        grams = self._vectorizer.fit_transform(clean)
        self._sparse = LinearSVC(C=self._sparse_c, class_weight="balanced", random_state=7).fit(grams, labels)
        say("fitting meanings")
        self._dense = LogisticRegression(C=self._dense_c, max_iter=200, tol=1e-3, class_weight="balanced").fit(
            vectors, labels
        )
        self.labels = [str(label) for label in self._dense.classes_]
        self._spread = (
            float(self._sparse.decision_function(grams).std()),
            float(self._dense.decision_function(vectors).std()),
        )
        return self

    def _embed(self, clean: list[str], say: Any) -> np.ndarray:
        parts = []
        for start in range(0, len(clean), 1024):
            say(f"embedding {start} of {len(clean)} examples")
            parts.append(self.encoder.encode(clean[start : start + 1024]))
        return np.concatenate(parts)

    def state(self) -> dict[str, Any]:
        """Everything learned, without the encoder, to be pickled."""
        return {
            "weight": self.weight,
            "spread": self._spread,
            "labels": self.labels,
            "vectorizer": self._vectorizer,
            "sparse": (self._sparse.coef_, self._sparse.intercept_),
            "dense": (self._dense.coef_, self._dense.intercept_),
        }

    def restore(self, state: dict[str, Any]) -> "Understanding":
        """Take over what ``state`` gave."""
        self.weight = state["weight"]
        self._spread = state["spread"]
        self.labels = state["labels"]
        self._vectorizer = state["vectorizer"]
        self._sparse, self._dense = _Weights(*state["sparse"]), _Weights(*state["dense"])
        return self

    # -- deciding --------------------------------------------------------------------------------------------------

    def scores(self, texts: Sequence[str]) -> np.ndarray:
        """The summed scores before they become probabilities, shape (len(texts), len(labels))."""
        clean = [normalised(text) for text in texts]
        grams = self._vectorizer.transform(clean)
        by_grams = np.asarray(grams @ self._sparse.coef_.T) + self._sparse.intercept_
        by_vectors = self.encoder.encode(clean) @ self._dense.coef_.T + self._dense.intercept_
        return (1 - self.weight) * by_grams / self._spread[0] + self.weight * by_vectors / self._spread[1]

    def probabilities(self, texts: Sequence[str]) -> np.ndarray:
        """Shape (len(texts), len(labels)); each row sums to 1."""
        return softmax(self.scores(texts) / self.temperature)

    def decide(self, text: str) -> Decision:
        """What to do with one sentence."""
        return decide(self.probabilities([text])[0], self.labels, self.thresholds)


def decide(row: np.ndarray, labels: Sequence[str], limits: Thresholds) -> Decision:
    """Turn one row of probabilities into a decision.

    Args:
        row: probabilities of ``labels``.
        labels: intents.
        limits: the thresholds.
    """
    order = np.argsort(-row)
    first = Reading(labels[order[0]], float(row[order[0]]))
    scope = float(row[labels.index(OUT_OF_SCOPE)]) if OUT_OF_SCOPE in labels else 0.0
    if scope >= limits.scope and first.intent == OUT_OF_SCOPE:
        return Decision("refuse", (first,))
    inside = [Reading(labels[index], float(row[index])) for index in order if labels[index] != OUT_OF_SCOPE]
    lead = inside[0].confidence - (inside[1].confidence if len(inside) > 1 else 0.0)
    if inside[0].confidence >= limits.act and lead >= limits.lead:
        return Decision("act", tuple(inside[:3]))
    if sum(reading.confidence for reading in inside[:3]) >= limits.ask:
        third = inside[2].confidence if len(inside) > 2 else 0.0
        keep = 2 if third < 0.06 else 3
        return Decision("ask", tuple(inside[:keep]))
    return Decision("refuse", (Reading(OUT_OF_SCOPE, scope), *inside[:3]))


def softmax(scores: np.ndarray) -> np.ndarray:
    """Rows that sum to 1."""
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def outcome(decision: Decision, truth: str) -> str:
    """How a decision turned out: right, asked_right, asked_wrong, wrong, refused, refused_right."""
    if decision.kind == "refuse":
        return "refused_right" if truth == OUT_OF_SCOPE else "refused"
    names = [reading.intent for reading in decision.readings]
    if decision.kind == "act":
        return "right" if names[0] == truth else "wrong"
    return "asked_right" if truth in names else "asked_wrong"
