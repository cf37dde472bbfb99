"""The payments journey: understood, not done here yet."""

from __future__ import annotations

from actions.not_built import NotBuilt


class PaymentsNotBuilt(NotBuilt):
    """An honest answer and a person."""

    action = "action_payments_not_built"
    response = "utter_payments_not_built"
