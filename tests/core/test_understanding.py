"""Deciding: act, ask or refuse."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bot.core.encoder import Encoder, load_encoder
from bot.core.understanding import Thresholds, Understanding, decide, normalised, outcome

LABELS = ["a", "b", "c", "out_of_scope"]
LIMITS = Thresholds(act=0.5, lead=0.2, ask=0.6, scope=0.4)
ENCODER = "models/encoder"


@pytest.mark.parametrize(
    ("row", "kind", "names"),
    [
        ([0.9, 0.05, 0.03, 0.02], "act", ["a", "b", "c"]),
        ([0.45, 0.40, 0.05, 0.10], "ask", ["a", "b"]),
        ([0.35, 0.30, 0.25, 0.10], "ask", ["a", "b", "c"]),
        ([0.10, 0.10, 0.10, 0.70], "refuse", ["out_of_scope"]),
        ([0.20, 0.15, 0.15, 0.35], "refuse", ["out_of_scope", "a", "b", "c"]),
    ],
)
def test_a_row_of_probabilities_becomes_a_decision(row: list[float], kind: str, names: list[str]) -> None:
    decision = decide(np.array(row), LABELS, LIMITS)
    got = [reading.intent for reading in decision.readings]
    assert (decision.kind, got[0]) == (kind, names[0])
    assert set(got) <= set(LABELS) and (kind != "ask" or got == names)


def test_a_question_never_offers_out_of_scope_as_a_reading() -> None:
    decision = decide(np.array([0.3, 0.28, 0.05, 0.37]), LABELS, LIMITS)
    assert decision.kind == "ask"
    assert "out_of_scope" not in [reading.intent for reading in decision.readings]


def test_outcomes_count_a_question_with_the_right_reading_as_right_after_one_question() -> None:
    ask = decide(np.array([0.45, 0.40, 0.05, 0.10]), LABELS, LIMITS)
    assert outcome(ask, "b") == "asked_right" and outcome(ask, "out_of_scope") == "asked_wrong"


def test_text_is_normalised_so_that_shouting_digits_and_long_vowels_do_not_matter() -> None:
    assert normalised("NOOOOO  Power at 42!") == normalised("noo power at 17!")


def test_the_encoder_takes_the_empty_and_the_endless_sentence() -> None:
    vectors = load_encoder(ENCODER).encode(["", "power is out " * 400, "no lights"])
    assert vectors.shape[0] == 3 and np.isfinite(vectors).all()
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-4)


def test_an_encoder_that_is_missing_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="make encoder"):
        Encoder(tmp_path)


@pytest.mark.parametrize(
    "text", ["no power", "", "a", "i want want want to pay pay", "zzzz qqqq", "it's  dark, é ü 🔥 !!"]
)
def test_one_sentence_gets_the_grams_that_the_vectoriser_gives(text: str) -> None:
    texts = ["no power", "lights out", "it's dark", "pay my bill", "i want to pay", "take my money"] * 2
    learned = Understanding(load_encoder(ENCODER)).fit(
        [*texts, "hello", "hi"], [*(["out"] * 3 + ["pay"] * 3) * 2, *["greet"] * 2]
    )
    clean = normalised(text)
    columns, values = learned._quick_grams(clean)
    row = np.zeros(learned._sparse.coef_.shape[1])
    row[columns] = values
    assert np.allclose(row, learned._vectorizer.transform([clean]).toarray()[0])


def test_what_was_learned_survives_saving() -> None:
    texts = ["no power", "lights out", "it is dark", "pay my bill", "i want to pay", "take my money"]
    texts += ["hello", "hi", "hey"]
    intents = ["out"] * 3 + ["pay"] * 3 + ["greet"] * 3
    learned = Understanding(load_encoder(ENCODER)).fit(texts, intents)
    again = Understanding(load_encoder(ENCODER)).restore(learned.state())
    asked = ["the power is out", "how do i pay"]
    assert np.allclose(learned.probabilities(asked), again.probabilities(asked))
    assert [again.labels[i] for i in again.probabilities(asked).argmax(axis=1)] == ["out", "pay"]
