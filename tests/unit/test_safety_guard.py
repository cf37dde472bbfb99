"""What the emergency guard promises: it hears emergencies however they are said, and little else."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.safety import PRIORITY, Guard, get_guard
from bot.safety.rules import RULES

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[2]
# Questions and registrations: the bot's medical journey answers them, the guard need not stop them.
ONLY_ASKS = (
    "register",
    "registry",
    "sign up",
    "list",
    "program",
    "form",
    "certif",
    "renew",
    "status",
    "flag",
    "discount",
    "count as",
    "counts as",
    "qualify",
    "note",
    "let you know",
    "need to tell you",
    "need to know",
    "need to report",
    "notify me",
    "lend me",
    "baseline",
    "show we have",
    "shelter where",
    "critical care customer",
    "put down as",
    "breathing thing, so",
)
# The training data also holds hints that no word gives away ("kids are jumping rope over something they shouldn't"):
# the classifier's work. What says gas, wire, smoke, monoxide or oxygen in any spelling is the guard's.
MOST_MISSED_IN_TRAINING = 0.09


def _sets(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "tests" / "safety" / name).read_text(encoding="utf-8"))
    return loaded


def _training() -> list[tuple[str, str]]:
    """(intent, example) of every journey's training data."""
    found: list[tuple[str, str]] = []
    for path in sorted((ROOT / "data").glob("*/nlu.yml")):
        for block in yaml.safe_load(path.read_text(encoding="utf-8"))["nlu"]:
            if "intent" in block:
                lines = (line.strip() for line in block["examples"].splitlines())
                found.extend((block["intent"], line[2:]) for line in lines if line.startswith("- "))
    return found


@pytest.fixture(scope="module")
def guard() -> Guard:
    return get_guard()


@pytest.mark.parametrize("name", ["dev.yml", "own.yml"])
def test_hears_emergencies_and_leaves_near_misses_alone(guard: Guard, name: str) -> None:
    sets = _sets(name)
    missed = [item["text"] for item in sets["emergencies"] if guard.check(item["text"]) is None]
    false = [item["text"] for item in sets["near_misses"] if guard.check(item["text"]) is not None]
    assert len(missed) <= 0.01 * len(sets["emergencies"]), missed
    assert len(false) <= 0.015 * len(sets["near_misses"]), false


@pytest.mark.parametrize("name", ["dev.yml", "own.yml"])
def test_names_the_right_kind_of_emergency(guard: Guard, name: str) -> None:
    heard = [(item["kind"], guard.check(item["text"])) for item in _sets(name)["emergencies"]]
    right = sum(found is not None and found.kind == kind for kind, found in heard)
    assert right >= 0.95 * len(heard)


def test_own_examples_are_many(guard: Guard) -> None:
    own = _sets("own.yml")
    assert len(own["emergencies"]) >= 300
    assert len(own["near_misses"]) >= 300


def test_hears_the_training_datas_emergencies(guard: Guard) -> None:
    emergencies = [text for intent, text in _training() if intent in PRIORITY]
    emergencies = [
        text for text in emergencies if not any(word in text.lower() for word in ONLY_ASKS) or "no power" in text
    ]
    missed = [text for text in emergencies if guard.check(text) is None]
    assert len(emergencies) > 700
    assert len(missed) <= MOST_MISSED_IN_TRAINING * len(emergencies), missed


def test_leaves_the_training_datas_other_messages_alone(guard: Guard) -> None:
    others = [text for intent, text in _training() if intent not in PRIORITY]
    false = [text for text in others if guard.check(text) is not None]
    assert len(others) > 5000
    assert len(false) <= 0.01 * len(others), false


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("shocked by my bill and also I smell gas", "gas_leak"),
        ("I was shocked by my bill and the outlet is sparking", "fire_shock"),
        ("not about my gas bill, there's a wire down in my yard", "downed_wire"),
        ("can you help me pay the gas bill. also the carbon monoxide alarm is going off", "carbon_monoxide"),
        ("I want a payment plan but the power is out and my son is on a ventilator", "medical_equipment"),
        ("last year you fixed a gas leak here and now I smell gas again", "gas_leak"),
        ("no, gas!! smell of gas", "gas_leak"),
        ("I don't smell gas but the CO alarm is going off", "carbon_monoxide"),
        ("my phone line is down and there is a power line down on my car", "downed_wire"),
    ],
)
def test_an_idiom_never_hides_a_true_emergency(guard: Guard, text: str, kind: str) -> None:
    found = guard.check(text)
    assert found is not None
    assert found.kind == kind


@pytest.mark.parametrize(
    "text",
    [
        "i smel gaz",
        "smellgas",
        "I SMELL GAS",
        "i  smell\tgas",
        "i s.m.e.l.l gas",
        "gaaas leeeak",
        "g a s leak",
        "gas-leak",
        "gas\nleak",
        "i smеll gas",  # a Cyrillic letter
        "ｇａｓ ｌｅａｋ",
        "smell\u200b gas",
        "g4s leak",
        "GAS.LEAK.HELP",
        "huele a gás",
        "HUELE A GAS",
        "carbon manoxide",
        "carbonmonoxide alarm",
        "c.o. alarm beeping",
        "see oh detector is beeping",
        "cobb and monoxide",
        "why er down in the road",
        "sparkin outlit",
        "trance former blew up",
        "i got electricuted",
        "house 🔥🔥🔥",
    ],
)
def test_reads_hurried_misheard_and_disguised_spelling(guard: Guard, text: str) -> None:
    assert guard.check(text) is not None


@pytest.mark.parametrize("text", ["", " ", "\n\t", "?", "...", "\x00", "👍", "12345", "/restart", "ok", "1"])
def test_says_nothing_to_nothing(guard: Guard, text: str) -> None:
    assert guard.check(text) is None


def test_several_kinds_give_the_first_in_priority(guard: Guard) -> None:
    parts = {
        "medical_equipment": "the power is out and my mother is on oxygen.",
        "carbon_monoxide": "the carbon monoxide alarm is going off.",
        "downed_wire": "a power line fell across the street.",
        "fire_shock": "smoke is coming out of my outlet.",
        "gas_leak": "I smell gas.",
    }
    said = ""
    for kind in reversed(PRIORITY):
        said = f"{said} {parts[kind]}"
        found = guard.check(said)
        assert found is not None
        assert found.kind == kind


def test_a_burning_transformer_is_told_to_stay_away_not_to_leave_the_house(guard: Guard) -> None:
    found = guard.check("the transformer on the pole is on fire")
    assert found is not None
    assert found.kind == "downed_wire"


@pytest.mark.parametrize(
    ("text", "hint", "language"),
    [
        ("huele a gas en la cocina", None, "es"),
        ("huele a gas en la cocina", "en", "es"),
        ("I smell gas in the kitchen", "es", "en"),
        ("gas leak", "es", "es"),
        ("gas leak", None, "en"),
        ("my house huele a gas muy fuerte", "es", "es"),
    ],
)
def test_answers_in_the_customers_language(guard: Guard, text: str, hint: str | None, language: str) -> None:
    found = guard.check(text, hint)
    assert found is not None
    assert found.language == language


def test_the_reason_is_a_constant_and_holds_no_words_of_the_customer(guard: Guard) -> None:
    constants = {rule.name for rule in RULES}
    assert len(constants) == len(RULES)
    for item in _sets("own.yml")["emergencies"]:
        found = guard.check(item["text"])
        if found is not None:
            assert found.reason in {*constants, "second.opinion"}


def test_the_same_message_gives_the_same_answer_in_any_order(guard: Guard) -> None:
    texts = [item["text"] for item in _sets("own.yml")["emergencies"][:120]]
    fresh = Guard()
    assert [guard.check(text) for text in texts] == [fresh.check(text) for text in reversed(texts)][::-1]


def test_needs_no_network(guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(*_: object, **__: object) -> None:
        raise AssertionError("the guard opened a socket")

    monkeypatch.setattr(socket, "socket", closed)
    assert Guard().check("I smell gas") is not None


def _fastest(guard: Guard, text: str, tries: int) -> float:
    """Processor seconds of the fastest of several tries; what else the machine does is not ours."""
    best = float("inf")
    for _ in range(tries):
        began = time.process_time()
        guard.check(text)
        best = min(best, time.process_time() - began)
    return best


@pytest.mark.parametrize(
    "piece",
    [
        "gas ",
        "gas bill ",
        "smell gas bill ",
        "a",
        "aab",
        "gaswirefire",
        "no ",
        "no smell ",
        "g.a.s.",
        "gas leak fixed last year ",
        "'",
        ".",
        "!?",
        " ",
        "wire line down near tree trim ",
        "smoke alarm ",
        "headache furnace bill ",
        "shocked bill outlet ",
        "oxygen discount power out ",
        "é",
        "1 ",
        "c o ",
        "was fell down in may years ago ",
        "smellgasnofirewirewireoutage",
        "\u200b",
        "🔥",
        "no wire no line ",
    ],
)
def test_two_thousand_hostile_characters_stay_cheap(guard: Guard, piece: str) -> None:
    text = (piece * 2000)[:2000]
    assert _fastest(Guard(), text, 1) < 0.35
    twice = _fastest(guard, text * 2, 2)
    assert twice < 0.35


def test_reads_both_ends_of_an_endless_message(guard: Guard) -> None:
    filler = "please read this long story about my day. " * 2000
    assert guard.check(filler + "I smell gas") is not None
    assert guard.check("I smell gas. " + filler) is not None
    assert guard.check(filler) is None
