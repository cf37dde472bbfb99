"""Journeys that are understood but not done here yet: the customer hears so, and is offered a person."""

from __future__ import annotations

from typing import ClassVar

from actions.base import Conversation, Events, PorchlightAction, start_form


class NotBuilt(PorchlightAction):
    """Says honestly that this cannot be done here, and offers a person unless a question is already open."""

    response: ClassVar[str] = ""

    async def act(self, conversation: Conversation) -> Events:
        """Say so."""
        conversation.say(self.response)
        return self.offer(conversation)

    @staticmethod
    def offer(conversation: Conversation) -> Events:
        """Offer a person; an open form goes on instead."""
        if conversation.active_form and conversation.active_form != "people_form":
            return []
        return start_form("people_form", people_wanted=None, people_reason="not_built")
