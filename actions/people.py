"""Bringing in a person: noted once, with the reason and what was said, and the way to reach them."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import structlog
import yaml
from pydantic import BaseModel, ConfigDict, RootModel

from actions.base import Conversation, Events, FormValidation, PorchlightAction, leave_form, set_slots, yes_or_no
from integrations.base.settings import ROOT

log = structlog.get_logger()


class Reason(BaseModel):
    """Why a person is needed, as designers write it in data/people/reasons.yml."""

    model_config = ConfigDict(extra="forbid")

    says: str
    priority: Literal["Normal", "NeedsAttention", "Urgent"]


class Reasons(RootModel[dict[str, Reason]]):
    """All reasons by their key."""


@lru_cache(maxsize=1)
def reasons() -> dict[str, Reason]:
    """The designers' reasons; pydantic names what is wrong in the file."""
    path = ROOT / "data" / "people" / "reasons.yml"
    return Reasons.model_validate(yaml.safe_load(path.read_text(encoding="utf-8"))).root


async def bring_in_person(conversation: Conversation, reason: str) -> Events:
    """Note the conversation for a person and tell the customer how to reach one."""
    known = reasons()[reason]
    identity = await conversation.identity()
    goal = conversation.slot("outage_goal")
    premise = conversation.slot("outage_premise")
    facts = [known.says, f"last wish: {goal}" if goal else "", f"service point: {premise}" if premise else ""]
    try:
        handoff = await conversation.services.handoffs.open(
            conversation.id,
            reason,
            channel=conversation.channel,
            phone=identity.phone or "",
            priority=known.priority,
            summary="; ".join(fact for fact in facts if fact),
        )
    except Exception:  # the records are down; the customer still learns how to reach a person
        log.exception("handoff could not be noted")
        conversation.say("utter_people_how_unnoted")
        return leave_form()
    conversation.say("utter_people_how", reference=f"P-{handoff.id:04d}")
    return leave_form()


class People(PorchlightAction):
    """The customer wants a person, or is angry enough to need one."""

    action = "action_people"

    async def act(self, conversation: Conversation) -> Events:
        """At any turn, without a question back."""
        if conversation.intent == "complaint":
            conversation.say("utter_people_sorry")
            events = await bring_in_person(conversation, "complaint")
            conversation.say("utter_people_regulator")
            return events
        return await bring_in_person(conversation, "asked")


class PeopleOffered(PorchlightAction):
    """The customer answered the offer of a person."""

    action = "action_people_offered"

    async def act(self, conversation: Conversation) -> Events:
        """Bring one in, or go on."""
        if not conversation.slot("people_wanted"):
            conversation.say("utter_people_not_wanted")
            return set_slots(people_reason=None)
        reason = str(conversation.slot("people_reason") or "asked")
        return [
            *await bring_in_person(conversation, reason if reason in reasons() else "asked"),
            *set_slots(people_reason=None),
        ]


class ValidatePeople(FormValidation):
    """Would you like a person?"""

    form = "people_form"

    async def answer(self, conversation: Conversation, slot: str) -> Events:
        """Yes, no; asking for one is a yes."""
        said = yes_or_no(conversation)
        if said is None and conversation.intent == "speak_to_human":
            said = True
        return [] if said is None else set_slots(people_wanted=said)
