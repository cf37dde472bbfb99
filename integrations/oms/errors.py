"""What can go wrong with the OMS."""

from __future__ import annotations


class OmsError(Exception):
    """The OMS did not do what was asked."""


class OmsUnavailable(OmsError):
    """Slow, dead, or half answered. The text is one of a few constant reasons."""


class OmsRejected(OmsError):
    """The OMS answered and refused (errorObject).

    Attributes:
        reason: its words; they may name a place or a person.
        object_id: what it refused.
    """

    def __init__(self, reason: str, object_id: str = "") -> None:
        super().__init__("rejected by the OMS")
        self.reason = reason
        self.object_id = object_id
