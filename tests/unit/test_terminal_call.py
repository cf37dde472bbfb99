"""What `make call` understands of its script."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.terminal_call import Line, script

pytestmark = pytest.mark.unit


def test_lines_are_said_one_after_the_other_and_a_file_comes_first() -> None:
    assert script("my power is out | yes please||", "speech.wav") == [
        Line(file=Path("speech.wav")), Line(text="my power is out"), Line(text="yes please"),
    ]  # fmt: skip


def test_a_plus_sign_interrupts_and_keys_and_pauses_are_no_words() -> None:
    assert script("+1.5 I smell gas|keys:12*#|+2 keys:0|pause:4") == [
        Line(text="I smell gas", after=1.5), Line(keys="12*#"), Line(keys="0", after=2.0), Line(pause=4.0),
    ]  # fmt: skip


@pytest.mark.parametrize("said", ["keys:abc", "keys:", "pause:long"])
def test_what_cannot_be_done_is_refused(said: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        script(said)
