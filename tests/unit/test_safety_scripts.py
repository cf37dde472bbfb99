"""What the fixed scripts promise: every emergency has words, on every channel, in both languages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.safety import PRIORITY, script
from bot.safety.scripts import SCRIPTS_FILE, ScriptsError, load_scripts, sms_segments

pytestmark = pytest.mark.unit

CHANNELS = ("sms", "web", "voice", "whatsapp", "terminal")
EVERY = [(kind, channel, language) for kind in PRIORITY for channel in CHANNELS for language in ("en", "es")]


def _changed(tmp_path: Path, **changes: Any) -> Path:
    raw = yaml.safe_load(SCRIPTS_FILE.read_text(encoding="utf-8"))
    for dotted, value in changes.items():
        *path, last = dotted.split("__")
        place = raw
        for key in path:
            place = place[key]
        if value is None:
            del place[last]
        else:
            place[last] = value
    path_ = tmp_path / "scripts.yml"
    path_.write_text(yaml.safe_dump(raw, allow_unicode=True), encoding="utf-8")
    return path_


@pytest.mark.parametrize(("kind", "channel", "language"), EVERY)
def test_every_emergency_has_words_on_every_channel(kind: Any, channel: str, language: str) -> None:
    text = script(kind, channel, language)
    assert len(text) > 60
    assert "{" not in text
    assert "\n" not in text
    assert ("911" in text) or ("nine one one" in text) or ("nueve uno uno" in text)
    assert re.search(r"0 ?1 ?9 ?9", text)


@pytest.mark.parametrize("kind", PRIORITY)
@pytest.mark.parametrize("language", ["en", "es"])
def test_a_text_message_is_at_most_two_segments_of_plain_letters(kind: Any, language: str) -> None:
    assert sms_segments(script(kind, "sms", language)) <= 2


@pytest.mark.parametrize("kind", PRIORITY)
@pytest.mark.parametrize("language", ["en", "es"])
def test_spoken_words_hold_no_digits_but_the_line(kind: Any, language: str) -> None:
    spoken = script(kind, "voice", language).replace("5 5 5, 5 5 5, 0 1 9 9", "")
    assert not re.search(r"[0-9/&%#*_<>]|https?", spoken)


@pytest.mark.parametrize("kind", PRIORITY)
@pytest.mark.parametrize("channel", ["sms", "web", "voice"])
def test_the_two_languages_differ(kind: Any, channel: str) -> None:
    assert script(kind, channel, "en") != script(kind, channel, "es")


def test_no_script_promises_a_time_or_asks_for_an_account() -> None:
    for kind, channel, language in EVERY:
        text = script(kind, channel, language).lower()
        assert not re.search(
            r"account|cuenta num|minutes?\b|minutos|crew is on|window|ventana|valve|valvula|válvula", text
        ), text


def test_distances_and_car_advice_are_those_of_the_source() -> None:
    assert "35 feet" in script("downed_wire", "web", "en")
    assert "thirty five feet" in script("downed_wire", "voice", "en")
    assert "stay inside" in script("downed_wire", "sms", "en")


def test_an_unknown_channel_or_language_still_gets_words() -> None:
    assert script("gas_leak", "pigeon", "en") == script("gas_leak", "web", "en")
    assert script("gas_leak", "web", "fr") == script("gas_leak", "web", "en")


def test_the_file_says_its_version_sources_and_date() -> None:
    scripts = load_scripts()
    assert scripts.version >= 1
    assert scripts.as_of.year >= 2026
    assert all(len(item.source) > 40 for item in scripts.scripts.values())


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"scripts__gas_leak": None}, "gas_leak"),
        ({"scripts__gas_leak__es__sms": None}, "scripts.gas_leak.es.sms"),
        ({"scripts__gas_leak__en__sms": "Leave now. Call 911 and us at {line}. " + "x" * 300}, "segments"),
        (
            {"scripts__gas_leak__es__sms": "Salga ya, está en peligro. Llame al 911 y al {line} desde afuera."},
            "SMS alphabet",
        ),
        (
            {"scripts__gas_leak__en__voice": "Leave now, and call 911 or us at {line} from outside the building."},
            "cannot be spoken",
        ),
        (
            {"scripts__gas_leak__en__web": "Leave the building now and call 911 from outside, far away."},
            "emergency line is missing",
        ),
        (
            {"scripts__gas_leak__en__web": "Leave the building now and call 911 or {phone} or {line} from outside."},
            "unknown placeholder",
        ),
        ({"scripts__flood": {"source": "s" * 30, "en": {}, "es": {}}}, "flood"),
        ({"emergency_line": "911"}, "emergency_line"),
        ({"as_of": "soon"}, "as_of"),
    ],
)
def test_a_designers_mistake_is_named_where_it_is(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ScriptsError, match=re.escape(says)):
        load_scripts(_changed(tmp_path, **changes))


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "scripts.yml"
    path.write_text("version: [", encoding="utf-8")
    with pytest.raises(ScriptsError, match=r"scripts\.yml"):
        load_scripts(path)
    with pytest.raises(ScriptsError, match="absent"):
        load_scripts(tmp_path / "absent.yml")


@pytest.mark.parametrize(
    ("text", "segments"),
    [("a" * 160, 1), ("a" * 161, 2), ("a" * 306, 2), ("a" * 307, 3), ("{" * 80, 1), ("{" * 81, 2), ("ñ¿é", 1)],
)
def test_segments_are_counted_as_the_standard_does(text: str, segments: int) -> None:
    assert sms_segments(text) == segments
