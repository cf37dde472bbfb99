"""What can go wrong when a message is sent or a call is changed."""

from __future__ import annotations

OPTED_OUT = 21610
BODY_TOO_LONG = 21617


class TwilioError(Exception):
    """The message was not sent, or the call not changed, or nobody knows."""


class TwilioUnavailable(TwilioError):
    """Slow, dead, over its limits, or half answered, and stayed so. Try again later with the same idempotency key.

    Attributes:
        maybe_sent: whether an attempt may have been carried out although its answer was lost.
    """

    def __init__(self, reason: str, maybe_sent: bool = False) -> None:
        super().__init__(reason)
        self.maybe_sent = maybe_sent


class TwilioBusy(TwilioUnavailable):
    """Somebody else is sending this very message now."""


class TwilioRejected(TwilioError):
    """Twilio refused; the same message will be refused again.

    Attributes:
        status: of the HTTP answer.
        code: Twilio's, https://www.twilio.com/docs/api/errors; 0 when it gave none.
    """

    def __init__(self, status: int, code: int) -> None:
        super().__init__(f"rejected by Twilio ({status}, {code})")
        self.status = status
        self.code = code


class TwilioOptedOut(TwilioRejected):
    """The receiver has said STOP (21610). Do not write to them."""


class TwilioCredentials(TwilioRejected):
    """The account or its token is refused: an operator has to act."""


class CallOver(TwilioRejected):
    """The call that was to be changed has ended, or was never there."""
