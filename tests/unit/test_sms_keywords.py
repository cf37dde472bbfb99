from __future__ import annotations

import pytest

from bot.channels.keywords import keyword_of

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "text",
    [
        "STOP",
        "stop.",
        "StopAll",
        "stop all",
        "UNSUBSCRIBE",
        "Cancel",
        "end",
        "QUIT!",
        "revoke",
        "opt out",
        "OPT-OUT",
        "optout",
        "ALTO",
        "pare",
        "¡Alto!",
    ],
)
def test_the_words_of_the_rule_stop_texts(text: str) -> None:
    keyword = keyword_of(text)
    assert keyword is not None and keyword.kind == "stop"


@pytest.mark.parametrize(
    "text",
    [
        "stop by my house",
        "the power went out",
        "cancel my appointment",
        "help me please",
        "turn it off",
        "is it on?",
        "end of line",
        "",
    ],
)
def test_a_keyword_inside_a_sentence_means_nothing(text: str) -> None:
    assert keyword_of(text) is None


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("OUT", "/report_outage"),
        ("Stat", "/outage_status"),
        ("STATUS", "/outage_status"),
        ("on!", "/outage_power_on"),
        ("Off", "/outage_power_off"),
        ("out cancel", "/outage_power_on"),
        ("OUT STAT", "/outage_status"),
    ],
)
def test_utilities_keywords_are_commands(text: str, command: str) -> None:
    keyword = keyword_of(text)
    assert keyword is not None and (keyword.kind, keyword.command) == ("command", command)


def test_yes_starts_texts_only_for_who_stopped_them() -> None:
    assert keyword_of("yes") is None
    started = keyword_of("Sí", stopped=True)
    assert started is not None and started.kind == "start"
    for text in ("START", "unstop"):
        keyword = keyword_of(text)
        assert keyword is not None and keyword.kind == "start"


def test_help_is_answered_in_the_language_of_the_word() -> None:
    english, spanish = keyword_of("Help"), keyword_of("AYUDA")
    assert english is not None and spanish is not None
    assert (english.language, spanish.language, spanish.kind) == ("en", "es", "help")
