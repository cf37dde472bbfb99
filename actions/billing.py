"""The billing journey: understood, not done here yet."""

from __future__ import annotations

from actions.base import Conversation, Events
from actions.not_built import NotBuilt


class BillingNotBuilt(NotBuilt):
    """An honest answer and a person; a disconnection notice does not wait."""

    action = "action_billing_not_built"
    response = "utter_billing_not_built"

    async def act(self, conversation: Conversation) -> Events:
        """Say so."""
        if conversation.intent == "shutoff_notice":
            conversation.say("utter_billing_shutoff")
        else:
            conversation.say(self.response)
        return self.offer(conversation)
