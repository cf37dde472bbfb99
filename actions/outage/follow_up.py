"""What happens when a question of the outage journey is answered."""

from __future__ import annotations

from actions.base import Conversation, Events, PorchlightAction, set_slots, start_form
from actions.outage.answers import (
    answer,
    offer_updates,
    subscribe,
    without_records,
)
from actions.outage.premise import own_premises
from actions.outage.reporting import report, report_by_address
from integrations.cis.client import CisUnavailable
from integrations.cis.models import Premise


async def _premise(conversation: Conversation) -> tuple[Premise | None, bool]:
    chosen = conversation.slot("outage_premise")
    if not chosen:
        return None, False
    try:
        premise = await conversation.services.cis.get_premise(str(chosen))
        own = await own_premises(conversation)
    except CisUnavailable:
        return None, False
    return premise, premise in own.candidates


class Continue(PorchlightAction):
    """The place is known now: go on with what the customer wanted."""

    action = "action_outage_continue"

    async def act(self, conversation: Conversation) -> Events:
        """Answer, or bring in a person where the place could not be found."""
        premise, known = await _premise(conversation)
        goal = str(conversation.slot("outage_goal") or "outage_status")
        address = conversation.slot("outage_address")
        if premise is None and address:
            return [*set_slots(outage_address=None), *await without_records(conversation, goal, str(address))]
        if premise is None:
            return start_form("people_form", people_wanted=None, people_reason="premise_not_found")
        return await answer(conversation, goal, premise, known)


class Report(PorchlightAction):
    """Report it, or do not."""

    action = "action_outage_report"

    async def act(self, conversation: Conversation) -> Events:
        """Report once; then offer news."""
        if not conversation.slot("outage_report_wanted"):
            conversation.say("utter_outage_report_not_wanted")
            return set_slots(outage_address=None)
        premise, known = await _premise(conversation)
        address = conversation.slot("outage_address")
        if premise is None and address:
            await report_by_address(conversation, "report_outage", str(address))
            return set_slots(outage_address=None)
        if premise is None:
            return start_form("people_form", people_wanted=None, people_reason="premise_not_found")
        view = await conversation.services.board.lookup(premise)
        receipt = await report(conversation, premise, "outage", known, view)
        return await offer_updates(conversation, premise) if receipt else []


class Breaker(PorchlightAction):
    """The breakers were tried."""

    action = "action_outage_breaker"

    async def act(self, conversation: Conversation) -> Events:
        """Done, or a report of partial power."""
        if conversation.slot("outage_breaker_fixed"):
            conversation.say("utter_outage_breaker_fixed")
            return []
        premise, known = await _premise(conversation)
        if premise is None:
            return start_form("people_form", people_wanted=None, people_reason="premise_not_found")
        view = await conversation.services.board.lookup(premise)
        receipt = await report(conversation, premise, "partial", known, view)
        conversation.say("utter_outage_partial_advice")
        return await offer_updates(conversation, premise) if receipt else []


class Subscribe(PorchlightAction):
    """Set up the texts, or do not."""

    action = "action_outage_subscribe"

    async def act(self, conversation: Conversation) -> Events:
        """Subscribe the number of the channel or the one that was given."""
        phone = conversation.slot("outage_updates_phone")
        if not conversation.slot("outage_updates_wanted") or not phone:
            conversation.say("utter_outage_updates_declined")
            return set_slots(outage_updates_phone=None)
        premise, known = await _premise(conversation)
        if premise is None:
            conversation.say("utter_outage_updates_failed")
            return []
        return await subscribe(conversation, premise, str(phone), known)
