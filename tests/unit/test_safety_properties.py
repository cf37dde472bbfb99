"""Whatever stands around an emergency, and however it is written, it is still heard."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.safety import Guard, get_guard

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[2]
GUARD = get_guard()
_OWN = yaml.safe_load((ROOT / "tests" / "safety" / "own.yml").read_text(encoding="utf-8"))
EMERGENCIES = [item["text"] for item in _OWN["emergencies"] if GUARD.check(item["text"])]
FULL = [text for text in EMERGENCIES if len(text) < 200]
HARMLESS = [
    "hello",
    "good morning",
    "thank you so much",
    "my name is Dana Whitlock",
    "I live at 14 Wexley Road",
    "my account number is 5550143",
    "I was shocked by my bill",
    "my gas bill is too high",
    "can I pay at the gas station",
    "the internet is slow too",
    "how do I sign up for paperless",
    "my wireless router has a red light",
    "I want to put a down payment",
    "please call me back",
    "is this a real person",
    "I am sick of waiting",
    "the website is down",
    "I have been a customer for twenty years",
    "I moved here three years ago",
    "you fixed my neighbor's meter last week",
    "what is line 3 on my bill",
    "the weather is nice",
    "sorry to bother you",
    "my cousin got fired",
    "do you sell smoke detectors",
    "the tree trimming looks great",
    "hola buenas tardes",
    "gracias por su ayuda",
    "quiero pagar mi recibo de gas",
    "mi nombre es Rosa",
    "my phone battery is low",
    "I read the news today",
    "nothing else is wrong",
    "I also have a question about solar",
    "spark plugs are on sale",
]
JOINTS = [". ", "! ", "? ", "\n", "... ", ". And ", ". Also, ", "; ", " but also ", ". Y ", ". Pero "]
RELAXED = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@RELAXED
@given(
    emergency=st.sampled_from(FULL),
    before=st.lists(st.sampled_from(HARMLESS), max_size=3),
    after=st.lists(st.sampled_from(HARMLESS), max_size=3),
    joint=st.sampled_from(JOINTS),
)
def test_harmless_surroundings_never_hide_an_emergency(
    emergency: str, before: list[str], after: list[str], joint: str
) -> None:
    if len(emergency.split()) <= 10 and any(char.isalpha() for char in joint):
        joint = ". "  # in few words every word counts: "And" makes a cry ("smoke") a longer sentence
    said = joint.join([*before, emergency, *after])
    assert GUARD.check(said) is not None, said


@RELAXED
@given(
    emergency=st.sampled_from(EMERGENCIES),
    data=st.data(),
)
def test_case_never_hides_an_emergency(emergency: str, data: st.DataObject) -> None:
    flips = data.draw(st.lists(st.booleans(), min_size=len(emergency), max_size=len(emergency)))
    written = "".join(
        char.upper() if flip and len(char.upper()) == 1 else char for char, flip in zip(emergency, flips, strict=True)
    )
    assert GUARD.check(written) is not None, written


@RELAXED
@given(
    emergency=st.sampled_from(EMERGENCIES),
    gap=st.sampled_from(["  ", "   ", "\t", "\n", " \n ", "\u00a0", "\u2003", " \u200b", " - ", " … ", ", "]),
    ends=st.sampled_from(["", "!", "!!!", ".", "???", "…", " :(", '"', " )", " #"]),
)
def test_spacing_and_punctuation_never_hide_an_emergency(emergency: str, gap: str, ends: str) -> None:
    written = gap.join(emergency.split(" ")) + ends
    assert GUARD.check(written) is not None, written


@RELAXED
@given(emergency=st.sampled_from(EMERGENCIES))
def test_leaving_out_apostrophes_and_accents_never_hides_an_emergency(emergency: str) -> None:
    written = emergency.replace("'", "").translate(str.maketrans("áéíóúñü", "aeiounu"))
    assert GUARD.check(written) is not None, written


@RELAXED
@given(
    word=st.sampled_from(["gas", "smoke", "fire", "wire", "sparking", "monoxide", "smell"]),
    times=st.integers(3, 9),
    data=st.data(),
)
def test_stretched_letters_are_read(word: str, times: int, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(word) - 1))
    stretched = word[:at] + word[at] * times + word[at + 1 :]
    sentence = {
        "gas": f"i smell {stretched}",
        "smoke": f"{stretched} is coming out of the outlet",
        "fire": f"the kitchen is on {stretched}",
        "wire": f"a {stretched} fell on the road",
        "sparking": f"my outlet is {stretched}",
        "monoxide": f"carbon {stretched} alarm",
        "smell": f"there is a {stretched} of gas",
    }[word]
    assert GUARD.check(sentence) is not None, sentence


@RELAXED
@given(st.text(max_size=300))
def test_any_text_at_all_is_survived(text: str) -> None:
    found = GUARD.check(text)
    assert found is None or re.fullmatch(r"[a-z]+\.[a-z0-9_]+", found.reason)


@RELAXED
@given(st.lists(st.sampled_from(HARMLESS), min_size=1, max_size=4), st.sampled_from(JOINTS))
def test_harmless_sentences_together_stay_harmless(sentences: list[str], joint: str) -> None:
    said = joint.join(sentences)
    assert GUARD.check(said) is None, said


def test_two_guards_share_nothing() -> None:
    assert Guard().check("smell gas") == Guard().check("smell gas")
