"""Our replacements at Rasa's seams do what Rasa does, only with less work."""

from __future__ import annotations

import asyncio
from typing import Any

import jsonschema
import pytest
import rasa.core.processor
from rasa.core.actions.action import RemoteAction
from rasa.core.actions.forms import FormAction
from rasa.core.nlg.response import TemplatedNaturalLanguageGenerator
from rasa.engine.runner.dask import DaskGraphRunner
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    ActionExecutionRejected,
    ActiveLoop,
    Event,
    SlotSet,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.utils.endpoints import EndpointConfig

from bot.core import failures, joining, speed
from bot.core.channel import TurnOutput, _problem

STOCK_FORMAT = RemoteAction._action_call_format
STOCK_RESOLVE = Event.resolve_by_type

DOMAIN = Domain.from_dict(
    {
        "intents": ["ask"],
        "actions": ["action_x"],
        "slots": {"place": {"type": "text", "mappings": [{"type": "custom"}]}},
        "forms": {"place_form": {"required_slots": ["place"]}},
        "responses": {
            "utter_a": [{"text": "First {x}."}],
            "utter_b": [{"text": "Second."}],
            "utter_q": [{"text": "Yes?", "buttons": [{"title": "Yes", "payload": "/affirm"}]}],
        },
    }
)


@pytest.fixture(autouse=True, scope="module")
def applied() -> None:
    speed.apply()
    failures.apply()
    joining.apply()


def tracker() -> DialogueStateTracker:
    events = [
        ActionExecuted("action_listen"),
        UserUttered("hi", {"name": "ask", "confidence": 1.0}, metadata={"channel": "sms"}),
        SlotSet("place", "SP1"),
    ]
    return DialogueStateTracker.from_events("c", events, DOMAIN.slots)


def test_an_answer_that_stock_rasa_refuses_is_refused() -> None:
    action = RemoteAction("action_x", EndpointConfig("http://127.0.0.1:9"))
    good: dict[str, Any] = {"events": [{"event": "slot", "name": "place", "value": "SP1"}], "responses": []}
    assert action._validate_action_result(good)
    for bad in ({"events": "no", "responses": []}, {"events": [], "responses": {}}, {"events": [{"name": "x"}]}):
        with pytest.raises(jsonschema.ValidationError):
            action._validate_action_result(bad)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(bad, RemoteAction.action_response_format_spec())


def test_event_types_resolve_as_in_stock_rasa() -> None:
    for name in ("user", "bot", "slot", "action", "active_loop", "session_started"):
        assert Event.resolve_by_type(name) is STOCK_RESOLVE(name)
    with pytest.raises(ValueError):
        Event.resolve_by_type("no_such_event")


def test_an_action_is_sent_what_stock_rasa_sends_but_for_what_nobody_reads() -> None:
    action = RemoteAction("action_x", EndpointConfig("http://127.0.0.1:9"))
    now = tracker()
    ours, stock = action._action_call_format(now, DOMAIN), STOCK_FORMAT(action, now, DOMAIN)
    assert ours["tracker"] == stock["tracker"]
    assert ours["next_action"] == stock["next_action"] and ours["sender_id"] == stock["sender_id"]
    for part in ("slots", "forms"):
        assert ours["domain"][part] == stock["domain"][part]


def test_predictions_run_in_our_own_runner() -> None:
    runner = rasa.core.processor.DaskGraphRunner
    assert runner.__name__ == "PlainGraphRunner" and issubclass(runner, DaskGraphRunner)


def utter(responses: list[dict[str, Any]]) -> list[Any]:
    output = TurnOutput("web", lambda _: asyncio.sleep(0))
    nlg = TemplatedNaturalLanguageGenerator(DOMAIN.responses)
    return asyncio.run(RemoteAction._utter_responses(responses, output, nlg, tracker()))


def test_sentences_marked_to_join_are_one_message_with_all_their_names() -> None:
    said = utter([{"response": "utter_a", "x": "one"}, {"response": "utter_b", "join": True}])
    assert [event.text for event in said] == ["First one. Second."]
    assert said[0].metadata["utter_action"] == "utter_a utter_b"


def test_sentences_without_the_mark_stay_apart_and_buttons_are_never_joined_to() -> None:
    said = utter(
        [{"response": "utter_a", "x": "1"}, {"response": "utter_q"}, {"response": "utter_b", "join": True}],
    )
    assert [event.text for event in said] == ["First 1.", "Yes?", "Second."]


def test_an_action_that_fails_marks_its_turn_as_failed() -> None:
    sent: list[dict[str, Any]] = []

    async def send(line: dict[str, Any]) -> None:
        sent.append(line)

    async def go() -> TurnOutput:
        output = TurnOutput("web", send)
        action = RemoteAction("action_x", EndpointConfig("http://127.0.0.1:9/webhook"))
        await action.run(output, TemplatedNaturalLanguageGenerator({}), tracker(), DOMAIN)
        return output

    assert asyncio.run(go()).failed == "action_x"


def test_an_action_that_says_that_it_failed_is_not_shown_to_the_customer() -> None:
    sent: list[dict[str, Any]] = []

    async def send(line: dict[str, Any]) -> None:
        sent.append(line)

    output = TurnOutput("web", send)
    asyncio.run(output.send_response("c", {"custom": {"porchlight_failed": "action_y"}}))
    assert output.failed == "action_y" and sent == []


@pytest.mark.parametrize("text", ["/affirm", "  /affirm", '/provide_info{"outage_premise": "SP1"}'])
def test_a_command_is_taken_only_where_the_gateway_vouches_for_it(text: str) -> None:
    turn = {"conversation_id": "c", "text": text, "metadata": {}}
    assert _problem(turn) == "command_not_trusted"
    assert _problem({**turn, "metadata": {"trusted": True}}) is None


@pytest.mark.parametrize(
    "body",
    [None, [], {}, {"conversation_id": "c"}, {"conversation_id": "", "text": "x"}, {"conversation_id": "c", "text": 1}],
)
def test_a_turn_without_its_parts_is_refused(body: Any) -> None:
    assert _problem(body) is not None


def test_a_turn_that_is_too_long_is_refused() -> None:
    assert _problem({"conversation_id": "c", "text": "x" * 5000}) == "text_too_long"


def form_tracker(*more: Event) -> DialogueStateTracker:
    events = [
        ActionExecuted("action_listen"),
        UserUttered("hi", {"name": "ask", "confidence": 1.0}),
        ActionExecuted("action_x"),
        ActiveLoop("place_form"),
        SlotSet("requested_slot", "place"),
        ActionExecuted("action_listen"),
        UserUttered("14 Lantern Lane", {"name": "ask", "confidence": 1.0}),
        *more,
    ]
    return DialogueStateTracker.from_events("c", events, FORM_DOMAIN.slots)


FORM_DOMAIN = Domain.from_dict(
    {
        "intents": ["ask"],
        "actions": ["action_x", "validate_place_form"],
        "slots": {"place": {"type": "text", "mappings": [{"type": "custom"}]}},
        "forms": {"place_form": {"required_slots": ["place"]}},
        "responses": {"utter_ask_place": [{"text": "Where?"}]},
    }
)


def calls_of_a_form(now: DialogueStateTracker, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    called: list[str] = []

    async def run(self: Any, *_: Any) -> list[Event]:
        called.append(self.name())
        return [SlotSet("place", "SP1")]

    monkeypatch.setattr(RemoteAction, "run", run)
    form = FormAction("place_form", EndpointConfig("http://127.0.0.1:9"))
    nlg = TemplatedNaturalLanguageGenerator(FORM_DOMAIN.responses)
    output = TurnOutput("web", lambda _: asyncio.sleep(0))
    asyncio.run(form.run(output, nlg, now, FORM_DOMAIN))
    return called


def test_an_answer_to_a_form_is_validated(monkeypatch: pytest.MonkeyPatch) -> None:
    assert calls_of_a_form(form_tracker(), monkeypatch) == ["validate_place_form"]


def test_a_form_that_begins_or_comes_back_has_no_answer_to_validate(monkeypatch: pytest.MonkeyPatch) -> None:
    assert calls_of_a_form(tracker(), monkeypatch) == []
    back = form_tracker(ActionExecutionRejected("place_form"), ActionExecuted("action_x"))
    assert calls_of_a_form(back, monkeypatch) == []
