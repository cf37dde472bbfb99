"""The moves journey: understood, not done here yet."""

from __future__ import annotations

from actions.not_built import NotBuilt


class MovesNotBuilt(NotBuilt):
    """An honest answer and a person."""

    action = "action_moves_not_built"
    response = "utter_moves_not_built"
