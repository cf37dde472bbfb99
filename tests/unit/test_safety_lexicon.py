"""What the lexicon promises designers: a word added is heard, a mistake is named."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.safety import Guard
from bot.safety.lexicon import LEXICON_FILE, LexiconError, expand, load_lexicon

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[2]


def _copy(tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    shutil.copy(LEXICON_FILE.with_name("ordinary_words.txt"), tmp_path)
    return tmp_path / "lexicon.yml", yaml.safe_load(LEXICON_FILE.read_text(encoding="utf-8"))


def _guard(path: Path, raw: dict[str, Any]) -> Guard:
    path.write_text(yaml.safe_dump(raw, allow_unicode=True, width=10**6), encoding="utf-8")
    return Guard(path)


def test_a_designer_adds_a_word_and_it_is_heard(tmp_path: Path) -> None:
    path, raw = _copy(tmp_path)
    assert Guard().by_rules("the glimworps are warm to the touch") is None
    raw["concepts"]["PANEL"]["words"] += ", glimworp|s"
    guard = _guard(path, raw)
    assert guard.by_rules("the glimworps are warm to the touch") is not None
    assert guard.by_rules("the glimwrop is warm to the touch") is not None, "near spellings come by themselves"
    assert guard.check("the glimworps are warm to the touch") is not None


def test_a_designer_adds_a_harmless_phrase(tmp_path: Path) -> None:
    path, raw = _copy(tmp_path)
    text = "our band Gas Leak Brothers plays Friday"
    assert Guard().by_rules(text) is not None
    raw["harmless"]["GAS_MOTOR"]["words"] += ", gas leak brothers"
    guard = _guard(path, raw)
    assert guard.by_rules(text) is None
    assert guard.check(text) is None
    assert guard.check(text + " and I smell gas") is not None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda raw: raw["concepts"].pop("SMELL"), "SMELL"),
        (lambda raw: raw["concepts"].update(smell={"about": "a smell", "words": "smell"}), "capitals"),
        (lambda raw: raw["concepts"]["GAS"].update(words="gas, sm*ll"), "sm*ll"),
        (lambda raw: raw["concepts"]["GAS"].update(word="gas"), "concepts.GAS.word"),
        (lambda raw: raw["sounds_like"].update({"foo bar": "plutonium"}), "plutonium"),
        (lambda raw: raw.pop("glue"), "glue"),
    ],
)
def test_a_designers_mistake_is_named_where_it_is(tmp_path: Path, change: Any, says: str) -> None:
    path, raw = _copy(tmp_path)
    change(raw)
    with pytest.raises(LexiconError, match=re.escape(says)):
        _guard(path, raw)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(LexiconError, match=r"absent\.yml"):
        load_lexicon(tmp_path / "absent.yml")


def test_endings_are_written_out() -> None:
    assert list(expand("rotten egg|s")) == [("rotten", "egg"), ("rotten", "eggs")]
    assert list(expand("Cañería")) == [("caneria",)]


def test_ordinary_words_are_not_taken_for_key_words() -> None:
    guard = Guard()
    for text in ("my wives and the small spoke", "she spoke of the price", "the stock of socks", "a shark in the park"):
        assert guard.check(text) is None


def test_the_command_explains_which_rule_fired() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bot.safety", "I smell gas"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        timeout=60,
    )
    assert "gas_leak" in done.stdout
    assert "gas.smell_gas" in done.stdout
