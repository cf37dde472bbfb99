"""The questions of the outage journey, and how their answers are read."""

from __future__ import annotations

import re

from actions.base import Conversation, Events, FormValidation, PorchlightAction, end_form, set_slots, yes_or_no
from actions.outage.premise import Found, address_in, label, named, own_premises, search
from integrations.base.phones import to_e164
from integrations.cis.models import Premise

TRIES = 2
_WRONG_PLACE = ("provide_info", "correct", "report_outage", "outage_status", "out_of_scope", "nlu_fallback")
"""Readings under which words that name no known place are taken for a failed try and not for another wish."""


_WORKED = re.compile(
    r"\b(did it|did the trick|that was it|fixed|worked|works|working|back on|came back|all good|solved)\b",
    re.IGNORECASE,
)
"""How people say that a breaker was the trouble, beside yes; "that did it, thanks" is no thanks."""
_NOT = re.compile(r"\b(not|no|never|nothing|nope|isn'?t|didn'?t|doesn'?t|hasn'?t|wasn'?t|won'?t)\b", re.IGNORECASE)


class AskPremise(PorchlightAction):
    """Asks which place, with the customer's own to choose from when there are several."""

    action = "action_ask_outage_premise"

    async def act(self, conversation: Conversation) -> Events:
        """Ask."""
        choices = conversation.slot("outage_premise_choices") or []
        if choices:
            found = [await conversation.services.cis.get_premise(str(one)) for one in choices]
            _offer(conversation, "utter_outage_did_you_mean", tuple(one for one in found if one), known=False)
            return []
        own = await own_premises(conversation)
        if len(own.candidates) > 1:
            _offer(conversation, "utter_outage_ask_which_premise", own.candidates, known=True)
        else:
            conversation.say("utter_outage_ask_premise")
        return []


def _offer(conversation: Conversation, response: str, premises: tuple[Premise, ...], known: bool) -> None:
    conversation.say(
        response,
        buttons=[
            {
                "title": (premise.nickname if known and premise.nickname else label(premise, known)),
                "payload": f'/provide_info{{"outage_premise": "{premise.service_point_id}"}}',
            }
            for premise in premises
        ],
    )


class ValidatePremise(FormValidation):
    """Reads an address, an account number, a nickname, or the place of a pressed button."""

    form = "outage_premise_form"

    async def answer(self, conversation: Conversation, slot: str) -> Events:
        """The place, another try, or (after two) the end of the form."""
        pressed = conversation.entity("outage_premise")
        if pressed:
            return set_slots(outage_premise=pressed)
        own = await own_premises(conversation)
        mine = named(conversation.text, own.candidates)
        if mine:
            return set_slots(outage_premise=mine.service_point_id)
        found = await search(conversation, conversation.text, whole=conversation.intent in _WRONG_PLACE)
        if found.premise:
            return set_slots(outage_premise=found.premise.service_point_id)
        if found.candidates:
            return set_slots(
                outage_premise=None, outage_premise_choices=[one.service_point_id for one in found.candidates]
            )
        return self._not_found(conversation, found)

    def _not_found(self, conversation: Conversation, found: Found) -> Events:
        if not found.tried and conversation.intent not in ("provide_info", "correct"):
            return []  # no answer to this question: the rules for what was said come first
        address = address_in(conversation.text)
        if found.down and address:
            return [*set_slots(outage_premise=None, outage_address=address), *end_form()]
        failures = float(conversation.slot("outage_premise_failures") or 0) + 1
        if found.down and failures < TRIES:
            conversation.say("utter_outage_records_down")
            return set_slots(outage_premise=None, outage_premise_failures=failures, outage_premise_choices=None)
        if failures >= TRIES:
            conversation.say("utter_outage_premise_gave_up")
            return [*set_slots(outage_premise=None, outage_premise_failures=failures), *end_form()]
        conversation.say("utter_outage_premise_not_found")
        return set_slots(outage_premise=None, outage_premise_failures=failures, outage_premise_choices=None)


class ValidateReport(FormValidation):
    """Shall I report it?"""

    form = "outage_report_form"

    async def answer(self, conversation: Conversation, slot: str) -> Events:
        """Yes, no; saying again that it is out is a yes."""
        said = yes_or_no(conversation)
        if said is None and conversation.intent in ("report_outage", "still_out"):
            said = True
        return [] if said is None else set_slots(outage_report_wanted=said)


class ValidateBreaker(FormValidation):
    """Did the breaker fix it?"""

    form = "outage_breaker_form"

    async def answer(self, conversation: Conversation, slot: str) -> Events:
        """Yes, no; describing the trouble again is a no."""
        said = yes_or_no(conversation)
        if said is None and conversation.intent in ("partial_power", "still_out", "report_outage"):
            said = False
        if said is None and _WORKED.search(conversation.text):
            said = not _NOT.search(conversation.text)
        return [] if said is None else set_slots(outage_breaker_fixed=said)


class ValidateUpdates(FormValidation):
    """Shall I text you, and where?"""

    form = "outage_updates_form"

    async def answer(self, conversation: Conversation, slot: str) -> Events:
        """Yes or no first; the number only where the channel does not give it."""
        identity = await conversation.identity()
        if slot == "outage_updates_wanted":
            said = yes_or_no(conversation)
            if said is None and conversation.intent == "outage_updates":
                said = True
            if said is None:
                return []
            if not said:
                return [*set_slots(outage_updates_wanted=False), *end_form()]
            return set_slots(outage_updates_wanted=True, outage_updates_phone=identity.phone)
        phone = to_e164(conversation.text)
        if phone:
            return set_slots(outage_updates_phone=phone)
        if conversation.intent == "deny":
            return [*set_slots(outage_updates_wanted=False), *end_form()]
        if conversation.intent == "provide_info" or any(letter.isdigit() for letter in conversation.text):
            conversation.say("utter_outage_updates_phone_wrong")
            return set_slots(outage_updates_phone=None)
        return []
