"""What a sentence means: the classifier itself, free of Rasa, so that training, tests and benchmarks use the same one.

Two views of a sentence, one decision. Word and character n-grams (tf-idf) see typing errors and fixed words; a sentence
embedding sees meaning. Each has its own logistic regression; their logits are added with a weight that held-out folds of
the training data chose. Scaled so, neither drowns the other (spliced into one vector, raw counts drown a unit-length
embedding).

A decision is one of three: act, ask a question between the likeliest two or three readings, or admit that this is
nothing we do. The two thresholds come from the same held-out folds, never from a test set.
"""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from typing import Any, Optional, Sequence

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import FeatureUnion

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
            ("word", TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=1, token_pattern=r"(?u)\b\w[\w']*\b")),
            ("char", TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, min_df=2, max_features=60_000)),
        ]
    )


class Understanding:
    """Learns intents from examples; decides what a new sentence means."""

    def __init__(self, encoder: Encoder, weight: float = 0.5, sparse_c: float = 20.0, dense_c: float = 8.0, seed: int = 7) -> None:
        """Set up an untrained classifier.

        Args:
            encoder: sentence vectors.
            weight: share of the embedding's logits in the sum, 0 to 1.
            sparse_c: inverse regularisation of the n-gram side.
            dense_c: inverse regularisation of the embedding side.
            seed: for the folds.
        """
        self.encoder = encoder
        self.weight = weight
        self.temperature = 1.0
        self.thresholds = Thresholds()
        self.labels: list[str] = []
        self._sparse_c, self._dense_c, self._seed = sparse_c, dense_c, seed
        self._vectorizer = _vectorizer()
        self._sparse: Any = None
        self._dense: Any = None

    # -- learning --------------------------------------------------------------------------------------------------

    def fit(self, texts: Sequence[str], intents: Sequence[str], folds: int = 0, report: Any = None) -> "Understanding":
        """Learn from examples.

        Args:
            texts: examples.
            intents: their intents.
            folds: with 3 or more, choose the thresholds on held-out folds first.
            report: called with a line of progress.
        """
        say = report or (lambda line: None)
        clean = [normalised(text) for text in texts]
        labels = np.array(intents)
        self.labels = sorted(set(intents))
        say(f"embedding {len(clean)} examples")
        vectors = self.encoder.encode(clean)
        if folds >= 3:
            self._tune(clean, vectors, labels, folds, say)
        say("fitting")
        self._fit_both(clean, vectors, labels)
        return self

    def _fit_both(self, clean: list[str], vectors: np.ndarray, labels: np.ndarray) -> None:
        self._vectorizer = _vectorizer()
        grams = self._vectorizer.fit_transform(clean)
        self._sparse = _linear(grams, labels, self._sparse_c)
        self._dense = _linear(vectors, labels, self._dense_c)
        self.labels = [str(label) for label in self._dense.classes_]

    def _tune(self, clean: list[str], vectors: np.ndarray, labels: np.ndarray, folds: int, say: Any) -> None:
        scores = np.zeros((len(clean), len(self.labels)))
        for number, (train, test) in enumerate(StratifiedKFold(folds, shuffle=True, random_state=self._seed).split(clean, labels)):
            say(f"fold {number + 1} of {folds}")
            self._fit_both([clean[index] for index in train], vectors[train], labels[train])
            scores[test] = self._logits([clean[index] for index in test], vectors[test])
        self.temperature = _temperature(scores, labels, self.labels)
        self.thresholds = choose_thresholds(_softmax(scores / self.temperature), labels, self.labels)

    # -- deciding --------------------------------------------------------------------------------------------------

    def _logits(self, clean: Sequence[str], vectors: np.ndarray) -> np.ndarray:
        grams = self._vectorizer.transform(clean)
        by_grams = grams @ self._sparse.coef_.T + self._sparse.intercept_
        by_vectors = vectors @ self._dense.coef_.T + self._dense.intercept_
        if sparse.issparse(by_grams):
            by_grams = by_grams.toarray()
        return np.asarray((1 - self.weight) * by_grams + self.weight * by_vectors)

    def probabilities(self, texts: Sequence[str]) -> np.ndarray:
        """Shape (len(texts), len(labels)); each row sums to 1."""
        clean = [normalised(text) for text in texts]
        return _softmax(self._logits(clean, self.encoder.encode(clean)) / self.temperature)

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


def _linear(features: Any, labels: np.ndarray, c: float) -> Any:
    return LogisticRegression(C=c, max_iter=300, tol=1e-3, class_weight="balanced", solver="lbfgs").fit(features, labels)


def _softmax(scores: np.ndarray) -> np.ndarray:
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def _temperature(scores: np.ndarray, labels: np.ndarray, names: Sequence[str]) -> float:
    """The divisor of the logits that makes held-out probabilities honest (Guo et al. 2017, arXiv:1706.04599)."""
    truth = np.array([names.index(label) for label in labels])
    grid = np.geomspace(0.2, 5.0, 60)
    losses = [-np.log(_softmax(scores / t)[np.arange(len(truth)), truth] + 1e-12).mean() for t in grid]
    return float(grid[int(np.argmin(losses))])


def outcome(decision: Decision, truth: str) -> str:
    """How a decision turned out: right, asked_right, asked_wrong, wrong, refused, refused_right."""
    if decision.kind == "refuse":
        return "refused_right" if truth == OUT_OF_SCOPE else "refused"
    names = [reading.intent for reading in decision.readings]
    if decision.kind == "act":
        return "right" if names[0] == truth else "wrong"
    return "asked_right" if truth in names else "asked_wrong"


def choose_thresholds(
    probabilities: np.ndarray, labels: Sequence[str], names: Sequence[str], wrong: float = 0.035, refused: float = 0.035
) -> Thresholds:
    """The thresholds that act rightly most often, with few wrong actions and few refusals of what we do.

    Args:
        probabilities: held-out probabilities.
        labels: the truth.
        names: the columns.
        wrong: at most this share of sentences acted on wrongly.
        refused: at most this share of in-scope sentences refused.
    """
    best: Optional[tuple[float, Thresholds]] = None
    inside = sum(1 for label in labels if label != OUT_OF_SCOPE)
    outside = max(1, len(labels) - inside)
    for scope in (0.3, 0.4, 0.5, 0.6):
        for act in (0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7):
            for lead in (0.0, 0.1, 0.2, 0.3):
                for ask in (0.3, 0.4, 0.5, 0.6, 0.7):
                    limits = Thresholds(act, lead, ask, scope)
                    count: dict[str, int] = {}
                    for row, label in zip(probabilities, labels):
                        result = outcome(decide(row, list(names), limits), label)
                        count[result] = count.get(result, 0) + 1
                    bad = count.get("wrong", 0) / len(labels)
                    lost = count.get("refused", 0) / max(1, inside)
                    score = (
                        count.get("right", 0)
                        + 0.8 * count.get("asked_right", 0)
                        + count.get("refused_right", 0) * (inside / outside) * 0.1
                    ) / len(labels) - 5 * max(0.0, bad - wrong) - 5 * max(0.0, lost - refused)
                    if best is None or score > best[0]:
                        best = (score, limits)
    assert best is not None  # the grid is not empty
    return best[1]
