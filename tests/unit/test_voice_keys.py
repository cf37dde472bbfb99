"""Keys: what they mean by themselves, and in a call. Numbers are read back before they are used."""

from __future__ import annotations

import pytest

from bot.switchboard import Reply
from integrations.base.utility import AccountNumberFormat
from tests.fakes.carrier import FakeDoor, a_call, choice
from tests.fakes.virtual_time import virtually
from voice.account_numbers import chooser
from voice.design import get_design
from voice.keypad import Keyed, Keypad
from voice.protocols import Expectation, Heard

pytestmark = pytest.mark.unit

OPEN, YES_NO = Expectation(), Expectation("yes_no")
PLACE, PHONE = Expectation("place", (10,)), Expectation("phone", (10, 11))
ACCOUNT = "1002345674"


def press(keys: str, expect: Expectation = OPEN, choices: int = 0, languages: bool = False) -> list[Keyed]:
    """What keys mean, one after the other without a rest."""
    pad = Keypad(get_design().keys, languages)
    return [keyed for key in keys if (keyed := pad.press(key, expect, choices, 0.0))]


def after_rest(keys: str, expect: Expectation = OPEN, choices: int = 0, languages: bool = False) -> Keyed | None:
    pad = Keypad(get_design().keys, languages)
    for key in keys:
        assert pad.press(key, expect, choices, 0.0) is None
    return pad.idle(expect, choices)


def test_a_number_ends_with_the_pound_key_with_its_known_length_or_with_a_rest() -> None:
    assert press("12345#") == [Keyed("digits", "12345")]
    assert press(ACCOUNT, PLACE) == [Keyed("digits", ACCOUNT)]
    assert after_rest("12345", PLACE) == Keyed("digits", "12345")


def test_a_phone_number_of_ten_digits_is_complete_and_one_with_the_country_code_waits_for_its_eleventh() -> None:
    assert press("2075550142", PHONE) == [Keyed("digits", "2075550142")]
    assert press("1207555014", PHONE) == []
    assert press("12075550142", PHONE) == [Keyed("digits", "12075550142")]


def test_star_clears_what_was_keyed_and_else_goes_back() -> None:
    assert press("123*") == [Keyed("cleared")]
    assert press("*") == [Keyed("back")]


def test_zero_alone_asks_for_a_person_and_in_a_number_it_is_a_digit() -> None:
    assert press("0") == [Keyed("person")]
    assert press("0", YES_NO) == [Keyed("person")]
    assert press("0#", PLACE) == [Keyed("person")]
    assert after_rest("0", PLACE) == Keyed("person")
    assert press("0100234567", PLACE) == [Keyed("digits", "0100234567")]


def test_a_digit_chooses_among_what_is_offered() -> None:
    assert press("2", Expectation("choice"), 3) == [Keyed("choice", "2")]
    assert press("4", Expectation("choice"), 3) == [Keyed("no_meaning")]
    # Where an account number can follow, the choice waits for a moment.
    assert after_rest("2", PLACE, 3) == Keyed("choice", "2")


def test_one_and_two_answer_yes_or_no() -> None:
    assert press("12", YES_NO) == [Keyed("affirm"), Keyed("deny")]
    assert press("3", YES_NO) == [Keyed("no_meaning")]


def test_nine_changes_the_language_only_where_another_is_offered() -> None:
    assert press("9", YES_NO, languages=True) == [Keyed("language")]
    assert after_rest("9", languages=True) == Keyed("language")
    assert press("9", YES_NO) == [Keyed("no_meaning")]


def test_ten_thousand_digits_are_one_answer() -> None:
    assert after_rest("7" * 10_000) == Keyed("too_many")
    assert press("7" * 10_000 + "#") == [Keyed("too_many")]


# -- in a call


def door() -> FakeDoor:
    return FakeDoor(
        {
            "/greet": "What is it about?",
            "status": Reply("Which address is it about?", asking="outage_premise"),
            "report": Reply("Shall I report it?", asking="outage_report_wanted"),
            "where": choice("Which place is it?", "House", "Cottage"),
            ACCOUNT: "There is no outage there.",
            "1": "The house is fine.",
            "/speak_to_human": Reply("I have noted it.", response="utter_people_how"),
        }
    )


def test_choices_are_read_out_and_chosen_by_key() -> None:
    async def scene() -> None:
        async with a_call(door()) as call:
            await call.until_silent()
            await call.says("where")
            await call.until_heard("Press two for Cottage.")
            await call.presses("1")
            await call.until_heard("The house is fine.")
            assert call.door.turns[-1].digits == "1"

    virtually(scene())


def test_an_account_number_by_key_is_read_back_and_used_after_a_yes_by_key() -> None:
    async def scene() -> None:
        async with a_call(door()) as call:
            await call.until_silent()
            await call.says("status")
            await call.until_silent()
            await call.presses(ACCOUNT)
            await call.until_heard("one zero zero")
            assert call.door.said == ["status"]
            await call.presses("1")
            await call.until_heard("There is no outage there.")
            assert call.door.turns[-1].digits == ACCOUNT

    virtually(scene())


def test_an_account_number_by_voice_is_read_back_corrected_and_confirmed_by_voice() -> None:
    async def scene() -> None:
        choose = chooser(AccountNumberFormat(digits=(10,), check="luhn"))
        async with a_call(door(), choose=choose) as call:
            await call.until_silent()
            await call.says("status")
            await call.until_silent()
            await call.says("900 234 5677", 2.0)
            await call.until_heard("nine zero zero")
            await call.until_silent()
            await call.says(Heard("it's one zero zero two three four five six seven four"), 3.0)
            await call.until_heard("seven four.")
            await call.until_silent()
            await call.says("yes that's right", 0.6)
            await call.until(lambda: ACCOUNT in call.door.said)

    virtually(scene())


def test_a_wrong_number_is_asked_for_again_and_the_third_time_another_way_is_offered() -> None:
    async def scene() -> None:
        async with a_call(door()) as call:
            await call.until_silent()
            await call.says("status")
            for _ in range(3):
                await call.until_silent()
                await call.presses(ACCOUNT)
                await call.until_silent()
                await call.says("no", 0.3)
            await call.until_heard("another way")
            assert call.door.said == ["status"]
            assert sum("once more" in text for text in call.spoken) == 2

    virtually(scene())


def test_something_else_said_instead_of_yes_or_no_is_a_turn_of_its_own() -> None:
    async def scene() -> None:
        async with a_call(door()) as call:
            await call.until_silent()
            await call.says("status")
            await call.until_silent()
            await call.presses(ACCOUNT)
            await call.until_silent()
            await call.says("report", 0.8)
            await call.until_heard("Shall I report it?")

    virtually(scene())


def test_zero_brings_a_person_in_by_the_dialogue_and_then_by_the_carrier() -> None:
    async def scene() -> None:
        async with a_call(door()) as call:
            await call.until_silent()
            call.api.on_direct = call.hangs_up  # the carrier ends the stream when the call follows another document
            await call.presses("0")
            await call.ended()
            assert call.door.said == ["/speak_to_human"]
            said = " ".join(call.speech.finished_texts)
            assert "I have noted it." in said and "connecting you to a person" in said
            assert len(call.api.documents) == 1 and "Dial" in call.api.documents[0][1]

    virtually(scene())


def test_a_key_silences_us_at_once() -> None:
    async def scene() -> None:
        async with a_call(door()) as call:
            await call.until_silent()
            await call.says("where")
            await call.until_heard("Press one for House.")
            pressed = call.now
            await call.presses("1")
            assert call.line.clears[-1] - pressed < 0.1

    virtually(scene())


def test_ten_thousand_keys_get_one_answer_and_the_call_goes_on() -> None:
    async def scene() -> None:
        async with a_call(door()) as call:
            await call.until_silent()
            await call.says("status")
            await call.until_silent()
            await call.presses("7" * 10_000, 0.01)
            await call.until_heard("more digits than I can use")
            await call.until_silent()
            assert sum("more digits" in text for text in call.spoken) == 1
            assert len(call.door.said) < 10
            await call.says("report")
            await call.until_heard("Shall I report it?")

    virtually(scene())


def test_star_goes_back_to_what_the_dialogue_can_do() -> None:
    async def scene() -> None:
        async with a_call(door()) as call:
            await call.until_silent()
            await call.says("status")
            await call.until_silent()
            await call.presses("*")
            await call.until(lambda: call.door.said == ["status", "/cancel"])

    virtually(scene())


def test_a_number_that_is_read_in_groups_with_looks_at_the_bill_between_is_one_number() -> None:
    async def scene() -> None:
        choose = chooser(AccountNumberFormat(digits=(10,), check="luhn"))
        async with a_call(door(), choose=choose) as call:
            await call.until_silent()
            await call.says("status")
            await call.until_silent()
            await call.says("one zero zero two", 1.2)
            await call.until_heard("Go on.")
            await call.quiet(3.0)
            await call.says("three four five", 0.9)
            await call.quiet(3.0)
            await call.says("six seven four", 0.9)
            await call.until_heard("one zero zero two, three four five six, seven four.")
            await call.until_silent()
            await call.says("yes", 0.3)
            await call.until(lambda: ACCOUNT in call.door.said)

    virtually(scene())


def test_a_house_number_and_then_its_street_are_one_address() -> None:
    async def scene() -> None:
        async with a_call(door()) as call:
            await call.until_silent()
            await call.says("status")
            await call.until_silent()
            await call.says("1423", 0.9)
            await call.until_heard("Go on.")
            await call.until_silent()
            await call.says("Lantern Lane", 0.9)
            await call.until(lambda: "1423 Lantern Lane" in call.door.said)

    virtually(scene())
