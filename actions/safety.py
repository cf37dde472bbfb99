"""After an emergency: whatever was under way ends, and a person is offered.

The script that a customer hears first, and the urgent report, are the guard's (bot/safety). Where the guard let a
message pass that the classifier takes for an emergency, the gateway is told, and does the same.
"""

from __future__ import annotations

from actions.base import Conversation, Events, PorchlightAction, leave_form
from actions.people import reasons

EMERGENCIES = ("gas_leak", "downed_wire", "carbon_monoxide", "fire_shock", "medical_equipment")


class Safety(PorchlightAction):
    """Follows the script, never replaces it."""

    action = "action_safety"

    async def act(self, conversation: Conversation) -> Events:
        """End what was under way, say that the dispatchers know, give a person's number."""
        kind = conversation.intent
        if not conversation.metadata.get("guard"):
            conversation.dispatcher.utter_message(json_message={"emergency": kind})
        identity = await conversation.identity()
        conversation.say("utter_safety_reported")
        conversation.say("utter_safety_person")
        try:
            await conversation.services.handoffs.open(
                conversation.id,
                kind,
                channel=conversation.channel,
                phone=identity.phone or "",
                priority=reasons()[kind].priority,
                summary=reasons()[kind].says,
            )
        finally:
            events = leave_form()
        return events
