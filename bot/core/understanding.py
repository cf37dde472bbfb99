"""What a sentence means: the classifier itself, free of Rasa, so that training, tests and benchmarks use the same one.

Three views of a sentence, one decision. Word and character n-grams (tf-idf) see typing errors and fixed words; a
sentence embedding sees meaning, once through a linear classifier and once through its nearest examples, which know the
odd corners of an intent that a plane cuts off. Their scores are brought to the same spread and added. Spliced into one
vector instead, raw counts drown a unit-length embedding.

A decision is one of three: act, ask a question between the likeliest two or three readings, or admit that this is
nothing we do. The thresholds stand in config.yml; `python -m bot.core.tune` chooses them on the development set
(tests/nlu/dev.yml), never on the test set. They cannot come from folds of the training data: the encoder has seen it.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
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
IN_QUESTION = 10
"""Intents whose nearest examples are looked at for one sentence in a conversation."""

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


class Nearest:
    """How near a sentence is to the nearest three examples of each intent.

    Args:
        vectors: unit length, float32, sorted by owner; shape (examples, size).
        owners: the intent's number of each example, ascending.
        count: how many intents.
    """

    NEIGHBOURS = 3

    def __init__(self, vectors: np.ndarray, owners: np.ndarray, count: int) -> None:
        self.vectors = vectors
        self.owners = owners
        self._starts = np.searchsorted(owners, np.arange(count + 1))

    @classmethod
    def of(cls, vectors: np.ndarray, owners: np.ndarray, count: int) -> Nearest:
        """Sort the examples by their intents."""
        order = np.argsort(owners, kind="stable")
        # Kept at half precision in the archive; rounded here already, so that a saved model decides as a fresh one.
        return cls(vectors[order].astype(np.float16).astype(np.float32), owners[order], count)

    def scores(self, queries: np.ndarray, skip: Optional[np.ndarray] = None) -> np.ndarray:
        """Mean likeness to the nearest examples of each intent, less the mean over intents.

        Args:
            queries: unit length; shape (queries, size).
            skip: for each query the example that is itself.

        Returns:
            Shape (queries, intents).
        """
        likeness = queries @ self.vectors.T
        if skip is not None:
            likeness[np.arange(len(queries)), skip] = -1.0
        near = np.empty((len(queries), len(self._starts) - 1), dtype=np.float32)
        for intent, (start, end) in enumerate(itertools.pairwise(self._starts)):
            block = likeness[:, start:end]
            if end - start > self.NEIGHBOURS:
                block = np.partition(block, -self.NEIGHBOURS, axis=1)[:, -self.NEIGHBOURS :]
            near[:, intent] = block.mean(axis=1)
        return near - near.mean(axis=1, keepdims=True)

    def scores_among(self, query: np.ndarray, intents: np.ndarray) -> np.ndarray:
        """As `scores` for one sentence, but worked out for some intents only; the others get the least of these.

        Not centred, which makes no difference to probabilities.

        Args:
            query: unit length; shape (size,).
            intents: numbers of the intents that are in question.

        Returns:
            Shape (intents,).
        """
        near = np.full(len(self._starts) - 1, np.inf, dtype=np.float32)
        for intent in intents:
            likeness = self.vectors[self._starts[intent] : self._starts[intent + 1]] @ query
            if len(likeness) > self.NEIGHBOURS:
                likeness.partition(len(likeness) - self.NEIGHBOURS)
                likeness = likeness[-self.NEIGHBOURS :]
            near[intent] = likeness.sum() / len(likeness)
        near[np.isinf(near)] = near.min()
        return near

    def spread(self, sample: int = 1000) -> float:
        """Standard deviation of the scores of examples that are not their own neighbours."""
        chosen = np.random.default_rng(7).permutation(len(self.vectors))[:sample]
        return float(self.scores(self.vectors[chosen], skip=chosen).std()) or 1.0


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
    """Refuse when out-of-scope has at least this probability and nothing else is likely enough to act on."""


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
        weights: tuple[float, float, float] = (0.4, 0.3, 0.2),
        sparse_c: float = 1.0,
        dense_c: float = 10.0,
        temperature: float = 0.5,
        thresholds: Optional[Thresholds] = None,
    ) -> None:
        """Set up an untrained classifier.

        Args:
            encoder: sentence vectors.
            weights: of the n-grams', the embedding's and the nearest examples' scores in the sum.
            sparse_c: inverse regularisation of the n-gram side.
            dense_c: inverse regularisation of the embedding side.
            temperature: divisor of the summed scores that makes probabilities honest.
            thresholds: when to act, ask and refuse.
        """
        self.encoder = encoder
        self.weights = weights
        self.temperature = temperature
        self.thresholds = thresholds or Thresholds()
        self.labels: list[str] = []
        self._sparse_c, self._dense_c = sparse_c, dense_c
        self._spread = (1.0, 1.0, 1.0)
        self._nearest = Nearest(np.zeros((0, 0)), np.zeros(0, dtype=int), 0)
        self._analyse: Any = None
        self._of_word: Any = None
        self._by_gram: Optional[np.ndarray] = None
        self._idf = (np.zeros(0), np.zeros(0))
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
        self._vectorizer, self._analyse, self._by_gram = _vectorizer(), None, None
        grams = self._vectorizer.fit_transform(clean)
        self._sparse = LinearSVC(C=self._sparse_c, class_weight="balanced", random_state=7).fit(grams, labels)
        say("fitting meanings")
        self._dense = LogisticRegression(C=self._dense_c, max_iter=200, tol=1e-3, class_weight="balanced").fit(
            vectors, labels
        )
        self.labels = [str(label) for label in self._dense.classes_]
        say("remembering examples")
        self._nearest = Nearest.of(vectors, np.searchsorted(self._dense.classes_, labels), len(self.labels))
        self._spread = (
            float(self._sparse.decision_function(grams).std()),
            float(self._dense.decision_function(vectors).std()),
            self._nearest.spread(),
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
            "spread": self._spread,
            "labels": self.labels,
            "vectorizer": self._vectorizer,
            "sparse": (self._sparse.coef_, self._sparse.intercept_),
            "dense": (self._dense.coef_, self._dense.intercept_),
            "nearest": (self._nearest.vectors.astype(np.float16), self._nearest.owners, len(self.labels)),
        }

    def restore(self, state: dict[str, Any]) -> "Understanding":
        """Take over what ``state`` gave."""
        self._spread = state["spread"]
        self.labels = state["labels"]
        self._vectorizer, self._analyse, self._by_gram = state["vectorizer"], None, None
        self._sparse, self._dense = _Weights(*state["sparse"]), _Weights(*state["dense"])
        vectors, owners, count = state["nearest"]
        self._nearest = Nearest(vectors.astype(np.float32), owners, count)
        return self

    # -- deciding --------------------------------------------------------------------------------------------------

    def scores(self, texts: Sequence[str]) -> np.ndarray:
        """The summed scores before they become probabilities, shape (len(texts), len(labels))."""
        clean = [normalised(text) for text in texts]
        if len(clean) == 1:
            return self._scores_of_one(clean[0])
        by_grams = np.asarray(self._vectorizer.transform(clean) @ self._sparse.coef_.T) + self._sparse.intercept_
        vectors = self.encoder.encode(clean)
        by_vectors = vectors @ self._dense.coef_.T + self._dense.intercept_
        views = (by_grams, by_vectors, self._nearest.scores(vectors))
        return np.asarray(
            sum(weight * view / spread for weight, view, spread in zip(self.weights, views, self._spread, strict=True))
        )

    def _scores_of_one(self, clean: str) -> np.ndarray:
        """The same for one sentence, as in a conversation: a third of the work."""
        columns, values = self._quick_grams(clean)
        if self._by_gram is None:
            # A gram's weights for all intents side by side: picking some of a row-major table jumps through memory.
            self._by_gram = np.ascontiguousarray(self._sparse.coef_.T, dtype=np.float32)
        by_grams = values.astype(np.float32) @ self._by_gram[columns] + self._sparse.intercept_
        vector = self.encoder.encode([clean])[0]
        by_vector = self._dense.coef_ @ vector + self._dense.intercept_
        (gram, dense, near), (first, second, third) = self.weights, self._spread
        likely = gram * by_grams / first + dense * by_vector / second
        # Examples settle what the other views leave open; they cannot bring an intent from far behind to the front.
        among = (
            np.argpartition(likely, -IN_QUESTION)[-IN_QUESTION:] if len(likely) > IN_QUESTION else range(len(likely))
        )
        return (likely + near * self._nearest.scores_among(vector, np.asarray(among)) / third)[None, :]

    def _quick_grams(self, clean: str) -> tuple[np.ndarray, np.ndarray]:
        """What the vectoriser gives for one sentence, ten times as fast: a word's letter grams are worked out once.

        Returns:
            Columns and their values, as in the one row of ``self._vectorizer.transform([clean])``.
        """
        parts = dict(self._vectorizer.transformer_list)
        words, letters = parts["word"], parts["char"]
        if self._analyse is None:
            self._analyse = words.build_analyzer()
            low, high = letters.ngram_range
            known = letters.vocabulary_

            @functools.lru_cache(maxsize=50_000)
            def of_word(word: str) -> tuple[int, ...]:
                padded = f" {word} "
                grams = []
                for length in range(low, high + 1):
                    grams += [padded[at : at + length] for at in range(max(1, len(padded) - length + 1))]
                    if len(padded) <= length:
                        break
                return tuple(known[gram] for gram in grams if gram in known)

            self._of_word = of_word
            self._idf = words.idf_, letters.idf_
        vocabulary = words.vocabulary_
        first = [vocabulary[gram] for gram in self._analyse(clean) if gram in vocabulary]
        second = [column for word in clean.split() for column in self._of_word(word)]
        one, two = _weighted(first, self._idf[0]), _weighted(second, self._idf[1])
        offset = len(vocabulary)
        return np.concatenate([one[0], two[0] + offset]), np.concatenate([one[1], two[1]])

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
    if scope >= limits.scope and (first.intent == OUT_OF_SCOPE or first.confidence < limits.act):
        return Decision("refuse", (Reading(OUT_OF_SCOPE, scope),))
    inside = [Reading(labels[index], float(row[index])) for index in order if labels[index] != OUT_OF_SCOPE]
    lead = inside[0].confidence - (inside[1].confidence if len(inside) > 1 else 0.0)
    if inside[0].confidence >= limits.act and lead >= limits.lead:
        return Decision("act", tuple(inside[:3]))
    if sum(reading.confidence for reading in inside[:3]) >= limits.ask:
        third = inside[2].confidence if len(inside) > 2 else 0.0
        keep = 2 if third < 0.06 else 3
        return Decision("ask", tuple(inside[:keep]))
    return Decision("refuse", (Reading(OUT_OF_SCOPE, scope), *inside[:3]))


def _weighted(columns: list[int], idf: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sublinear tf-idf of unit length, as scikit-learn computes it."""
    found, counts = np.unique(np.array(columns, dtype=np.int64), return_counts=True)
    values = (1.0 + np.log(counts)) * idf[found]
    norm = np.sqrt((values * values).sum())
    return found, values / norm if norm else values


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
