from __future__ import annotations

import pytest

from bot.channels.sms_render import MOST_TEXTS, SEGMENTS_EACH, compose, numbered
from bot.switchboard.models import Button, Reply
from integrations.twilio.sms import segments

pytestmark = pytest.mark.unit

YES_NO = (Button("Yes", "/affirm"), Button("No", "/deny"))


def test_the_replies_of_a_turn_are_one_text() -> None:
    [text] = compose([Reply("It is out."), Reply("A crew is there."), Reply("", final=True)])
    assert text.body == "It is out.\nA crew is there."


def test_a_safety_script_is_a_text_of_its_own_and_first() -> None:
    texts = compose([Reply("Leave now.", source="safety"), Reply("Shall I connect you?", YES_NO)])
    assert [text.urgent for text in texts] == [True, False]
    assert texts[0].body == "Leave now."


def test_choices_are_numbered_in_the_order_that_the_switchboard_counts() -> None:
    [text] = compose([Reply("Which?", YES_NO), Reply("Or?", (Button("Agent", "/x"),))])
    assert text.body.endswith("Reply 1 for Yes, 2 for No, or 3 for Agent.")
    assert numbered(YES_NO) == "Reply 1 for Yes or 2 for No."
    assert numbered(YES_NO[:1]) == "Reply 1 for Yes."
    assert numbered(YES_NO, "es") == "Responda 1 para Yes o 2 para No."


def test_a_long_turn_becomes_a_few_texts_of_bearable_length() -> None:
    texts = compose([Reply("This is a sentence about an outage. " * 200)])
    assert len(texts) <= MOST_TEXTS
    assert all(segments(text.body).count <= SEGMENTS_EACH for text in texts)


def test_typographic_quotes_do_not_make_a_text_twice_as_long() -> None:
    [text] = compose([Reply("We’re on it \u2013 “soon”.")])
    assert segments(text.body).encoding == "GSM-7"


def test_a_picture_goes_with_the_first_text() -> None:
    texts = compose([Reply("Here is the map.", image="https://example.com/map.png")])
    assert texts[0].media_url == "https://example.com/map.png"
    [alone] = compose([Reply("", image="https://example.com/map.png")])
    assert (alone.body, alone.media_url) == ("", "https://example.com/map.png")


def test_the_same_replies_make_the_same_texts() -> None:
    replies = [Reply("Leave.", source="safety"), Reply("Where are you?", YES_NO)]
    assert compose(replies) == compose(replies)
