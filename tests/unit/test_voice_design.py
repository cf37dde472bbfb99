"""data/voice: what designers may write, and what is refused with a reason before a call finds out."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from bot.safety import get_guard
from integrations.base.utility import get_utility
from voice.design import FOLDER, DesignError, get_design, load
from voice.ladder import Ladder
from voice.prompts import Prompts
from voice.speakable import speakable

pytestmark = pytest.mark.unit

PROMPTS = Prompts(get_design(), get_utility(), speakable, ("en", "es"))
VALUES = {"key": 1, "title": "House", "digits": "one two"}


def changed(folder: Path, name: str, change: str, to: str) -> Path:
    """A copy of data/voice with one thing changed."""
    copy = folder / "voice"
    shutil.copytree(FOLDER, copy)
    path = copy / f"{name}.yml"
    text = path.read_text(encoding="utf-8")
    assert change in text
    path.write_text(text.replace(change, to, 1), encoding="utf-8")
    return copy


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("name", sorted(get_design().prompts))
def test_every_sentence_can_be_said_in_every_wording(name: str, language: str) -> None:
    for _ in range(4):
        text = PROMPTS.say(name, language, **VALUES)
        assert text and "{" not in text
        assert speakable(text, language).strip()


def test_nobody_hears_the_same_wording_twice_running() -> None:
    prompts = Prompts(get_design(), get_utility(), speakable)
    first, second = prompts.say("filler", "en"), prompts.say("filler", "en")
    assert first != second


def test_fixed_sentences_are_spoken_as_they_are_kept() -> None:
    fixed = PROMPTS.fixed("en")
    assert speakable(PROMPTS.notice("en"), "en") in fixed
    assert speakable(PROMPTS.say("speech_lost", "en"), "en") in fixed
    assert not any("{" in text for text in fixed)


def test_the_notice_names_the_machine_and_the_recording_in_each_wording() -> None:
    for notice in get_design().disclosures.notices.values():
        assert "automated assistant" in notice["en"] and "recorded and transcribed" in notice["en"]
        assert "asistente automático" in notice["es"] and "se graba" in notice["es"]


@pytest.mark.parametrize("ours, theirs, expected", [
    ("", "", "all_parties"), ("", "ME", "all_parties"), ("ME", "", "one_party"), ("ME", "ME", "one_party"),
    ("ME", "CT", "all_parties"), ("PA", "ME", "all_parties"), ("ME", "ZZ", "all_parties"),
])  # fmt: skip
def test_the_stricter_jurisdictions_notice_is_said(ours: str, theirs: str, expected: str) -> None:
    prompts = Prompts(get_design(), get_utility(), speakable, ("en",), ours)
    wanted = get_design().disclosures.notices[expected]["en"].format(utility=get_utility().utility)
    assert prompts.notice("en", theirs) == wanted


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("item", [item for item in get_design().menu.dangers if item.text], ids=lambda item: item.en)
def test_each_danger_of_the_menu_is_known_to_the_guard(item: object, language: str) -> None:
    text = item.text[language]  # type: ignore[attr-defined]
    assert get_guard().check(text, language) is not None


def test_every_question_that_is_configured_is_a_slot_of_the_dialogue() -> None:
    slots: set[str] = set()
    for path in FOLDER.parent.glob("*/domain.yml"):
        slots |= set(yaml.safe_load(path.read_text(encoding="utf-8")).get("slots") or {})
    assert set(get_design().questions.questions) <= slots


def test_every_response_that_brings_a_person_in_exists() -> None:
    responses: set[str] = set()
    for path in FOLDER.parent.glob("*/domain.yml"):
        responses |= set(yaml.safe_load(path.read_text(encoding="utf-8")).get("responses") or {})
    assert get_design().people.transfer_after <= responses


def test_rasa_takes_none_of_these_files_for_its_own() -> None:
    ours = {"version", "nlu", "rules", "stories", "slots", "forms", "actions", "entities", "intents", "responses"}
    for path in FOLDER.glob("*.yml"):
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert not (set(data) & (ours - {"version"})), path.name


@pytest.mark.parametrize("name, change, to, reason", [
    ("ladder", "say: still_there", "say: still_their", "still_their"),
    ("ladder", "then: hang_up}\nnot", "then: ask_again}\nnot", "last rung of silence"),
    ("prompts", "es: [\"¿Sigue ahí?\"]", "", "still_there needs words"),
    ("turns", "shortest: 450", "shortest: 4500", "shortest is longer"),
    ("turns", "barge_in: 160", "barge_in: 900", "barge_in"),
    ("questions", "kind: yes_no", "kind: maybe", "kind"),
    ("people", "ring_seconds: 25", "ring_seconds: soon", "ring_seconds"),
    ("disclosures", "notice: all_parties", "notice: one_party", "strictest notice is needed"),
    ("menu", "goes: dangers", "goes: nowhere", "goes"),
    ("keys", "idle_seconds: 3", "idle_seconds: [", "keys.yml"),
    ("keys", "most_digits: 32", "most_digits: 32\nunknown: 1", "unknown"),
])  # fmt: skip
def test_a_mistake_is_named_at_start_up(tmp_path: Path, name: str, change: str, to: str, reason: str) -> None:
    with pytest.raises(DesignError, match=reason):
        load(changed(tmp_path, name, change, to))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DesignError, match=r"prompts\.yml"):
        load(tmp_path)


def test_the_ladder_climbs_and_begins_again_after_an_answer() -> None:
    ladder = Ladder(get_design().ladder)
    assert [ladder.silent().say for _ in range(5)][-2:] == ["goodbye_silent", "goodbye_silent"]
    ladder.understood()
    assert ladder.silent().say == "still_there"
    assert ladder.missed().say == "say_again"
    assert not ladder.failed() and ladder.failed()
