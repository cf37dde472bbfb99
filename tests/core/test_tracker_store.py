"""A conversation that is cut goes on as if it had not been."""

from __future__ import annotations

import random
from typing import Any

import pytest
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    ActionExecutionRejected,
    ActiveLoop,
    BotUttered,
    Event,
    SessionStarted,
    SlotSet,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker

from bot.core.tracker_store import KEEP_TURNS, SLACK_TURNS, capped

DOMAIN = Domain.from_dict(
    {
        "intents": ["ask", "tell", "affirm"],
        "actions": ["action_answer", "utter_hello"],
        "slots": {
            "place": {"type": "text", "mappings": [{"type": "custom"}]},
            "count": {"type": "float", "initial_value": 0, "mappings": [{"type": "custom"}]},
            "choices": {"type": "any", "mappings": [{"type": "custom"}]},
            "wanted": {"type": "bool", "mappings": [{"type": "custom"}]},
        },
        "forms": {"place_form": {"required_slots": ["place"]}, "wanted_form": {"required_slots": ["wanted"]}},
        "responses": {"utter_hello": [{"text": "hello"}]},
    }
)


def conversation(turns: int, seed: int) -> DialogueStateTracker:
    """A conversation with forms that begin, are rejected, resumed and end, and slots that come and go."""
    rng = random.Random(seed)
    events: list[Event] = [ActionExecuted("action_session_start"), SessionStarted(), ActionExecuted("action_listen")]
    form = None
    for number in range(turns):
        intent = rng.choice(["ask", "tell", "affirm"])
        events.append(UserUttered(f"words {number}", {"name": intent, "confidence": 0.9}))
        kind = rng.random()
        if form and kind < 0.3:
            events += [ActionExecutionRejected(form), ActionExecuted("action_answer"), ActionExecuted(form)]
        elif form and kind < 0.6:
            events += [ActionExecuted(form), SlotSet("requested_slot", None), ActiveLoop(None)]
            form = None
        elif kind < 0.8:
            form = rng.choice(["place_form", "wanted_form"])
            wanted = form.split("_", maxsplit=1)[0]
            events += [ActionExecuted(form), ActiveLoop(form), SlotSet(wanted, None), SlotSet("requested_slot", wanted)]
        else:
            events += [
                ActionExecuted("action_answer"),
                SlotSet("place", rng.choice([None, "SP1", "SP2"])),
                SlotSet("count", float(rng.randrange(3))),
                SlotSet("choices", rng.choice([None, ["SP1", "SP2"]])),
                BotUttered("an answer"),
            ]
        events.append(ActionExecuted("action_listen"))
    return DialogueStateTracker.from_events("c", events, DOMAIN.slots)


def state(tracker: DialogueStateTracker) -> dict[str, Any]:
    loop = tracker.active_loop
    return {
        "slots": tracker.current_slot_values(),
        "loop": (loop.name, loop.rejected, loop.is_interrupted) if loop else None,
        "latest_action": tracker.latest_action_name,
        "text": tracker.latest_message.text if tracker.latest_message else None,
        "last_turns": [
            event.as_dict() for event in list(tracker.events)[-20:] if not isinstance(event, (SessionStarted,))
        ],
    }


@pytest.mark.parametrize("seed", range(40))
def test_a_cut_conversation_has_the_same_slots_form_and_newest_turns(seed: int) -> None:
    whole = conversation(60, seed)
    cut = DialogueStateTracker.from_events("c", capped(whole, DOMAIN), DOMAIN.slots)
    assert state(cut) == state(whole)


@pytest.mark.parametrize("seed", range(10))
def test_cutting_at_every_turn_is_the_same_as_never_cutting(seed: int) -> None:
    whole = conversation(80, seed)
    kept: list[Event] = []
    for event in whole.events:
        kept.append(event)
        if isinstance(event, ActionExecuted) and event.action_name == "action_listen":
            kept = capped(DialogueStateTracker.from_events("c", kept, DOMAIN.slots), DOMAIN)
    assert state(DialogueStateTracker.from_events("c", kept, DOMAIN.slots)) == state(whole)


def test_what_is_kept_does_not_grow_with_the_conversation() -> None:
    lengths = [len(capped(conversation(turns, 3), DOMAIN)) for turns in (40, 80, 160)]
    turns = [
        sum(isinstance(event, UserUttered) for event in capped(conversation(length, 3), DOMAIN)) for length in (40, 160)
    ]
    assert max(turns) <= KEEP_TURNS + SLACK_TURNS
    assert max(lengths) < 2 * min(lengths)


def test_a_short_conversation_is_kept_whole() -> None:
    short = conversation(KEEP_TURNS, 1)
    assert capped(short, DOMAIN) == list(short.events)
