"""The turns between: greeting, repeating, stopping, correcting, and not understanding."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Any

import yaml

from actions.base import Conversation, Events, PorchlightAction, leave_form, set_slots, start_form
from actions.outage.answers import answer, answer_wish, ask_for_place, offer_updates, tell
from actions.outage.premise import label, named, own_premises, search
from actions.safety import EMERGENCIES
from integrations.base.settings import ROOT

NOT_UNDERSTOOD = ("nlu_fallback", "out_of_scope")
ANSWERED_ALIKE = frozenset(("report_outage", "outage_status", "planned_outage"))
"""Readings between which no question is needed: the status answers all, and offers the report where none is known."""

_SENTENCE = re.compile(r".+?(?:[.!?](?=\s+[^\Wa-z])\s*|$)", re.DOTALL)


@lru_cache(maxsize=1)
def meanings() -> dict[str, str]:
    """How each intent reads on a button (data/smalltalk/meanings.yml)."""
    path = ROOT / "data" / "smalltalk" / "meanings.yml"
    return {str(key): str(value) for key, value in yaml.safe_load(path.read_text(encoding="utf-8")).items()}


class Greet(PorchlightAction):
    """A greeting that already knows: whose place is in an outage hears about it before being asked anything."""

    action = "action_greet"

    async def act(self, conversation: Conversation) -> Events:
        """Greet; tell what is known."""
        by_voice = conversation.channel == "voice"
        if not by_voice or conversation.active_form:
            conversation.say("utter_greet")
        if conversation.active_form:
            return []
        own = await own_premises(conversation)
        out = []
        for premise in own.candidates:
            view = await conversation.services.board.lookup(premise)
            if view.outage is not None and view.status.is_out:
                out.append((premise, view, view.outage))
        if by_voice:
            # One question at a time: "what is it about?" only where nothing is told that ends in a question.
            conversation.say("utter_greet_known" if len(out) == 1 else "utter_greet")
        if len(out) != 1:
            return []
        premise, view, outage = out[0]
        tell(conversation, premise, view, outage, known=True)
        slots = set_slots(outage_goal="outage_status", outage_premise=premise.service_point_id)
        return [*slots, *await offer_updates(conversation, premise)]


class BotChallenge(PorchlightAction):
    """Says truthfully what this is (state laws on AI disclosure: research 3.5)."""

    action = "action_bot_challenge"

    async def act(self, conversation: Conversation) -> Events:
        """Say it."""
        conversation.say("utter_bot_challenge")
        return []


class Repeat(PorchlightAction):
    """Says the last turn again."""

    action = "action_repeat"

    async def act(self, conversation: Conversation) -> Events:
        """The same words; the question of an open form is asked again by the form.

        A caller who spoke over us hears what they had not heard, from the sentence that was cut off.
        """
        emergency = _emergency_before(conversation.tracker.events)
        if emergency:
            # Its script is not among the dialogue's words, and nothing that was said matters more.
            conversation.dispatcher.utter_message(json_message={"emergency_again": emergency})
        said = _last_words(conversation.tracker.events)
        if not said and not conversation.active_form:
            conversation.say("utter_smalltalk_nothing_to_repeat")
        texts = [str(event["text"]) for event in said]
        heard = conversation.metadata.get("interrupted")
        if heard is not None:
            texts = unheard(texts, str(heard))
        if conversation.active_form:
            said, texts = said[:-1], texts[:-1]
        for event, text in zip(said, texts, strict=True):
            buttons = (event.get("data") or {}).get("buttons") or []
            if text or buttons:
                conversation.dispatcher.utter_message(text=text, buttons=buttons)
        return []


def unheard(texts: list[str], heard: str) -> list[str]:
    """What is left of messages of which a caller heard the beginning, each from a whole sentence on.

    Args:
        texts: as they were written.
        heard: as it was spoken, where numbers and abbreviations were words; perhaps with other words around it.

    Returns:
        As many texts; "" for one that was heard to its end. All of it, when all was heard: then it was not understood.
    """
    sentences = [(index, one) for index, text in enumerate(texts) for one in _SENTENCE.findall(text)]
    written = [(place, word) for place, (_, one) in enumerate(sentences) for word in _words(one)]
    same = SequenceMatcher(None, [word for _, word in written], _words(heard), autojunk=False).get_matching_blocks()
    last = max((block.a + block.size for block in same if block.size), default=0)
    if last == len(written):
        return texts
    # The first word that was not heard any more, and the sentence that it is in.
    cut = written[last][0]
    return [
        "".join(one for place, (of, one) in enumerate(sentences) if of == index and place >= cut).strip()
        for index in range(len(texts))
    ]


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", text.lower())


def _emergency_before(events: list[Mapping[str, Any]]) -> str:
    """The emergency that the customer's turn before this one was about, however often they asked to repeat it since."""
    for event in reversed([event for event in events if event.get("event") == "user"][:-1]):
        intent = str(((event.get("parse_data") or {}).get("intent") or {}).get("name") or "")
        if intent != "repeat":
            return intent if intent in EMERGENCIES else ""
    return ""


def _last_words(events: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    users = [index for index, event in enumerate(events) if event.get("event") == "user"]
    if len(users) < 2:
        return []
    between = events[users[-2] : users[-1]]
    return [event for event in between if event.get("event") == "bot" and event.get("text")]


class Cancel(PorchlightAction):
    """Stops what is under way."""

    action = "action_cancel"

    async def act(self, conversation: Conversation) -> Events:
        """Leave the form; nothing was done."""
        if not conversation.active_form:
            conversation.say("utter_smalltalk_nothing_to_cancel")
            return []
        conversation.say("utter_smalltalk_cancelled")
        return [*leave_form(), *set_slots(outage_goal=None, people_reason=None)]


class Correct(PorchlightAction):
    """Something was wrong: another place, mostly."""

    action = "action_correct"

    async def act(self, conversation: Conversation) -> Events:
        """Take the right place from the words, or ask for it."""
        goal = str(conversation.slot("outage_goal") or "")
        if not goal:
            conversation.say("utter_smalltalk_what_is_right")
            return []
        return await _other_place(conversation, goal, "utter_outage_premise_corrected")


class ProvideInfo(PorchlightAction):
    """A value without a question: a place is looked up, anything else is asked about."""

    action = "action_provide_info"

    async def act(self, conversation: Conversation) -> Events:
        """Look a place up where there is one."""
        pressed = conversation.entity("outage_premise")
        if pressed:
            premise = await conversation.services.cis.get_premise(pressed)
            if premise:
                goal = str(conversation.slot("outage_goal") or "outage_status")
                own = await own_premises(conversation)
                return await answer(conversation, goal, premise, premise in own.candidates)
        return await _other_place(conversation, str(conversation.slot("outage_goal") or "outage_status"), "")


async def _other_place(conversation: Conversation, goal: str, response: str) -> Events:
    own = await own_premises(conversation)
    mine = named(conversation.text, own.candidates)
    found = await search(conversation, conversation.text)
    premise = mine or found.premise
    if premise:
        known = premise in own.candidates
        if response:
            conversation.say(response, address=label(premise, known))
        return [*leave_form(), *set_slots(outage_goal=goal), *await answer(conversation, goal, premise, known)]
    if found.candidates or found.down or response:
        return [*set_slots(outage_goal=goal), *await ask_for_place(conversation, found)]
    conversation.say("utter_smalltalk_what_about_it")
    return []


class Clarify(PorchlightAction):
    """Asks between the two or three likeliest readings; twice in a row is enough, then a person."""

    action = "action_clarify"

    async def act(self, conversation: Conversation) -> Events:
        """Ask, or give up."""
        readings = [one for one in conversation.readings if one in meanings()][:3]
        if readings and ANSWERED_ALIKE.issuperset(readings):
            return await answer_wish(conversation, "outage_status")
        if conversation.active_form:
            return _missed(conversation, "utter_smalltalk_try_again_in_form")
        if len(readings) < 2:
            return _missed(conversation, "utter_smalltalk_say_again")
        if conversation.previous_intent() in NOT_UNDERSTOOD:
            conversation.say("utter_smalltalk_give_up")
            return start_form("people_form", people_wanted=None, people_reason="not_understood")
        conversation.say(
            "utter_smalltalk_which",
            buttons=[
                *({"title": meanings()[one], "payload": f"/{one}"} for one in readings),
                {"title": meanings()["out_of_scope"], "payload": "/out_of_scope"},
            ],
        )
        return []


class OutOfScope(PorchlightAction):
    """Nothing that we do."""

    action = "action_out_of_scope"

    async def act(self, conversation: Conversation) -> Events:
        """Say what we do; the second time in a row, offer a person."""
        return _missed(conversation, "utter_out_of_scope")


class Lost(PorchlightAction):
    """No rule fits: must not happen, and is answered when it does."""

    action = "action_lost"

    async def act(self, conversation: Conversation) -> Events:
        """Ask again, or offer a person."""
        return _missed(conversation, "utter_smalltalk_say_again")


def _missed(conversation: Conversation, response: str) -> Events:
    if conversation.previous_intent() in NOT_UNDERSTOOD:
        conversation.say("utter_smalltalk_give_up")
        return start_form("people_form", people_wanted=None, people_reason="not_understood")
    conversation.say(response)
    return []
