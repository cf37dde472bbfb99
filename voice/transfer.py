"""Handing a call over to a person by Twilio's REST API."""

from __future__ import annotations

import structlog

from integrations.twilio.errors import CallOver, TwilioError
from voice.parts import Carrier

log = structlog.get_logger()


async def hand_over(carrier: Carrier, call_sid: str, document: str) -> bool:
    """Give a live call the document that dials a person.

    Args:
        carrier: Twilio.
        call_sid: of the call.
        document: TwiML.

    Returns:
        Whether Twilio took it, and with it ends the stream. If not, closing the socket does the same by the webhook
        after the stream; when the call is over, it does no harm.
    """
    try:
        await carrier.direct(call_sid, document)
    except CallOver:
        log.info("voice.transfer_too_late", call=call_sid)
        return False
    except TwilioError as error:
        log.warning("voice.transfer_by_webhook", call=call_sid, error=type(error).__name__)
        return False
    return True
