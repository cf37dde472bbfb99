"""The service journey: understood, not done here yet."""

from __future__ import annotations

from actions.not_built import NotBuilt


class ServiceNotBuilt(NotBuilt):
    """An honest answer and a person."""

    action = "action_service_not_built"
    response = "utter_service_not_built"
