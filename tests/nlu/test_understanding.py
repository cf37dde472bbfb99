"""The bars of understanding, on messages whose writer had not seen the training data. Failures show figures only."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from bench.environments import CORE, ROOT, quiet_environment
from bot.processes.training import is_trained

pytestmark = [pytest.mark.service, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def both() -> dict[str, Any]:
    # The assistant that would be served, if it is made of what is here now; else one is trained for this test.
    ready = ["--trained"] if is_trained() else []
    done = subprocess.run(
        [str(CORE), "-m", "bench.understanding", "--quick", "--json", *ready],
        cwd=ROOT,
        env=quiet_environment(PYTHONWARNINGS="ignore"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])["result"]
    return {"hard": result, "hard_2": result["second"]}


@pytest.fixture(scope="module", params=["hard", "hard_2"])
def figures(request: pytest.FixtureRequest, both: dict[str, Any]) -> dict[str, Any]:
    """Of one of the two sets, by two writers."""
    result: dict[str, Any] = both[request.param]
    shown = ("right_at_once", "right_after_one_question", "acted_wrongly", "out_of_scope_recall", "in_scope_refused")
    print({name: round(result[name], 3) for name in shown})
    return result


def test_most_customers_are_understood_at_once(figures: dict[str, Any]) -> None:
    assert figures["right_at_once"] >= 0.88


def test_nearly_all_are_understood_at_once_or_after_one_question(figures: dict[str, Any]) -> None:
    assert figures["right_after_one_question"] >= 0.96


def test_few_messages_are_acted_on_wrongly(figures: dict[str, Any]) -> None:
    assert figures["acted_wrongly"] <= 0.05


def test_no_intent_is_left_behind(figures: dict[str, Any]) -> None:
    low = {name: round(row["at_once"], 2) for name, row in figures["intents"].items() if row["at_once"] < 0.70}
    print(f"right at once under 0.70: {low or 'none'}")
    behind = {name: row["after_question"] for name, row in figures["intents"].items() if row["after_question"] < 0.70}
    assert not behind


def test_what_is_nothing_of_ours_is_refused(figures: dict[str, Any]) -> None:
    assert figures["out_of_scope_recall"] >= 0.80


def test_what_is_ours_is_not_refused(figures: dict[str, Any]) -> None:
    assert figures["in_scope_refused"] <= 0.05


def test_every_intent_of_the_assistant_is_tested_with_at_least_twenty_messages(figures: dict[str, Any]) -> None:
    few = {name: row["messages"] for name, row in figures["intents"].items() if row["messages"] < 20}
    assert not few
    assert len(figures["intents"]) == 43
