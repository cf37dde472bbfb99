"""What all actions share: a small view of the turn, failing honestly, and the events that they return."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, ClassVar

import structlog
from rasa_sdk import Action, Tracker
from rasa_sdk.events import ActiveLoop, FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.services import Services, services
from bot.identity.models import Identity

log = structlog.get_logger()

Events = list[dict[str, Any]]
JOURNEYS = ("outage", "safety", "people", "smalltalk", "billing", "payments", "moves", "service")
"""The modules with actions; a new journey is one more name here."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """One turn as an action sees it."""

    tracker: Tracker
    dispatcher: CollectingDispatcher
    services: Services
    _read: dict[str, Identity] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The conversation."""
        return str(self.tracker.sender_id)

    @property
    def message(self) -> Mapping[str, Any]:
        """What the customer said last, as Rasa understood it."""
        return self.tracker.latest_message or {}

    @property
    def text(self) -> str:
        """The customer's words; empty when it was a button."""
        text = str(self.message.get("text") or "")
        return "" if text.startswith("/") else text

    @property
    def intent(self) -> str:
        """What the words were understood to mean."""
        return str((self.message.get("intent") or {}).get("name") or "")

    @property
    def readings(self) -> list[str]:
        """The possible meanings, likeliest first."""
        return [str(item.get("name")) for item in self.message.get("intent_ranking") or []]

    @property
    def metadata(self) -> Mapping[str, Any]:
        """What the gateway says about the turn."""
        return self.message.get("metadata") or {}

    @property
    def channel(self) -> str:
        """web, sms, voice, ..."""
        return str(self.metadata.get("channel") or "web")

    @property
    def active_form(self) -> str | None:
        """The form that the conversation is in."""
        loop: Mapping[str, Any] = self.tracker.active_loop or {}
        name = loop.get("name")
        return str(name) if name else None

    async def identity(self) -> Identity:
        """Who is speaking, as the gateway has verified them; read once an action.

        Raises:
            redis.exceptions.RedisError: the store does not answer.
        """
        if self.id not in self._read:
            self._read[self.id] = await self.services.identities.get(self.id)
        return self._read[self.id]

    def slot(self, name: str) -> Any:
        """A slot's value."""
        return self.tracker.get_slot(name)

    def entity(self, name: str) -> str | None:
        """The value that a pressed button carries."""
        for item in self.message.get("entities") or []:
            if item.get("entity") == name:
                return str(item.get("value"))
        return None

    def say(self, response: str, join: bool = False, **values: Any) -> None:
        """Say one of the designers' responses, with the utility's own names and numbers filled in.

        Args:
            response: its name in a domain.yml.
            join: continue the message before it instead of beginning another (bot/core/joining.py).
            values: for the words in braces.
        """
        facts = self.services.utility
        self.dispatcher.utter_message(
            response=response,
            join=join,
            utility=facts.utility,
            human_phone=facts.human_phone,
            human_hours=facts.human_hours,
            emergency_phone=facts.emergency_phone,
            **values,
        )

    def previous_intent(self) -> str:
        """What the customer's turn before this one was understood to mean."""
        users = [event for event in self.tracker.events if event.get("event") == "user"]
        if len(users) < 2:
            return ""
        return str(((users[-2].get("parse_data") or {}).get("intent") or {}).get("name") or "")


class PorchlightAction(Action):
    """An action that answers or fails honestly, and never raises: Rasa would log the whole conversation."""

    action: ClassVar[str] = ""

    def name(self) -> str:
        """The name in the domain."""
        return self.action

    async def act(self, conversation: Conversation) -> Events:
        """Do it. Raised exceptions become a turn that failed."""
        raise TypeError(f"{type(self).__name__} has no act()")

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        """Called by rasa-sdk."""
        began = time.perf_counter()
        try:
            return await self.act(Conversation(tracker, dispatcher, services()))
        except Exception:  # the boundary: the gateway is told, answers the customer and offers a person
            log.exception("action failed", action=self.action)
            dispatcher.messages.clear()
            dispatcher.utter_message(json_message={"porchlight_failed": self.action})
            return []
        finally:
            log.debug("action ran", action=self.action, ms=round((time.perf_counter() - began) * 1000, 1))


class FormValidation(PorchlightAction):
    """Reads the answer to a form's question.

    ``answer`` is called only when the form waits for an answer. It returns slots; no slots means that this was no
    answer, and the rules for what the customer said apply before the form asks again.
    """

    form: ClassVar[str] = ""

    def name(self) -> str:
        """The name that Rasa looks for."""
        return f"validate_{self.form}"

    async def act(self, conversation: Conversation) -> Events:
        """Call ``answer`` if there is something to read."""
        requested = conversation.slot("requested_slot")
        if not requested or came_back(conversation.tracker.events, self.form):
            return []
        return await self.answer(conversation, str(requested))

    async def answer(self, conversation: Conversation, slot: str) -> Events:
        """Read the answer for ``slot``."""
        raise TypeError(f"{type(self).__name__} has no answer()")


def came_back(events: Iterable[Mapping[str, Any]], form: str) -> bool:
    """Whether the form runs again after an interruption: then the customer's words were no answer to it."""
    for event in reversed(list(events)):
        if event.get("event") == "user":
            return False
        if event.get("event") == "action_execution_rejected" and event.get("name") == form:
            return True
    return False


_LEADING = re.compile(r"\W*(?:(yes|yeah|yep|yup|yea|si|sí)|(no|nope|nah|nop))\b", re.IGNORECASE)

_SURELY = re.compile(
    r"\W*(?:(yes|yeah|yep|yup|yea|si|sí)\b(?!\W+(?:no|nope|nah)\b)|"
    r"((?:yes|yeah|yep)\W+no|nope|nah|no\W+(?:no|nope|thanks?|thank you|don'?t|do not|need))\b)",
    re.IGNORECASE,
)
"""A yes or no that no power failure can be meant by: "no lights" and "no it's still dark" are none."""
_NO_OTHER_WISH = ("nlu_fallback", "out_of_scope", "provide_info", "report_outage", "still_out", "outage_status",
                  "outage_power_on")  # fmt: skip
"""Readings of an answer under which its first word decides: recognisers and tired fingers spoil the rest."""


def yes_or_no(conversation: Conversation) -> bool | None:
    """Whether the customer said yes or no, also where the classifier was unsure between that and something else.

    A yes or no that the words begin with counts more than the classifier's guess: "no, still the same" is a no.
    """
    said: bool | None = None
    if conversation.intent in ("affirm", "deny"):
        said = conversation.intent == "affirm"
    elif conversation.intent == "nlu_fallback":
        said = next((one == "affirm" for one in conversation.readings if one in ("affirm", "deny")), None)
    leading = _LEADING.match(conversation.text)
    if said is None and conversation.intent in _NO_OTHER_WISH:
        surely = _SURELY.match(conversation.text)
        return surely[1] is not None if surely else None
    if said is None or leading is None:
        return said
    return leading[1] is not None


def start_form(form: str, **slots: Any) -> Events:
    """Ask a form's questions next, with ``slots`` set first (None clears what an earlier round left)."""
    return [*set_slots(**slots), SlotSet("requested_slot", None), ActiveLoop(None), FollowupAction(form)]


def end_form() -> Events:
    """From a form's validation: ask nothing more, the form is done."""
    return [SlotSet("requested_slot", None)]


def leave_form() -> Events:
    """End whatever form is active."""
    return [SlotSet("requested_slot", None), ActiveLoop(None)]


def set_slots(**slots: Any) -> Events:
    """Slot events."""
    return [SlotSet(name, value) for name, value in slots.items()]


def all_actions() -> list[PorchlightAction]:
    """One of every action of every journey."""
    for journey in JOURNEYS:
        import_module(f"actions.{journey}")
    found: list[PorchlightAction] = []
    waiting: list[type[PorchlightAction]] = list(PorchlightAction.__subclasses__())
    while waiting:
        kind = waiting.pop()
        waiting.extend(kind.__subclasses__())
        if kind.action or getattr(kind, "form", ""):
            found.append(kind())
    return found
