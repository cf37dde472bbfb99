"""A yes or no counts as one whatever the rest of the words was taken for; and missing power is never a no."""

from __future__ import annotations

from typing import Any

import pytest

from actions.base import Conversation, yes_or_no

pytestmark = pytest.mark.unit


class _Tracker:
    def __init__(self, text: str, intent: str) -> None:
        self.latest_message: dict[str, Any] = {"text": text, "intent": {"name": intent}, "intent_ranking": []}


def _said(text: str, intent: str) -> bool | None:
    conversation: Any = Conversation(_Tracker(text, intent), None, None)  # type: ignore[arg-type]
    return yes_or_no(conversation)


@pytest.mark.parametrize(
    ("text", "intent", "meant"),
    [
        ("yes report it police", "out_of_scope", True),
        ("nope nope it just came back on", "report_outage", False),
        ("yeah no it's fine now", "outage_status", False),
        ("no thanks we are good", "out_of_scope", False),
        ("yeah it's still out", "still_out", True),
        ("no lights in the whole house", "report_outage", None),
        ("no it's still dark", "still_out", None),
        ("yes get me a person", "speak_to_human", None),
        ("no, still the same", "deny", False),
        ("no yes please", "affirm", False),
        ("sure", "affirm", True),
        ("gas smell", "gas_leak", None),
    ],
)
def test_the_first_word_decides_where_no_other_wish_is_meant(text: str, intent: str, meant: bool | None) -> None:
    assert _said(text, intent) is meant
