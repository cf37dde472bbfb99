"""A phone that texts: sends what a customer writes to our webhook, exactly as Twilio would."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from typing import Any

import httpx

from .soap import tag
from .texts import Texts, new_sid, segments
from .twilio_api import Account


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where our SMS webhook is.

    Attributes:
        address: where it is called, for example ``http://127.0.0.1:8080/twilio/sms``.
        public: the address that Twilio knows it by; signatures cover this one.
    """

    address: str
    public: str


@dataclass(slots=True)
class TextingPhone:
    """Makes Twilio's webhook requests."""

    account: Account
    texts: Texts
    webhook: Webhook

    def form(self, sender: str, body: str, media: list[str], sid: str) -> dict[str, str]:
        """The form that Twilio posts for an incoming message; blank values belong to it and are signed too."""
        values = {
            "ToCountry": "US", "ToState": "", "SmsMessageSid": sid, "NumMedia": str(len(media)), "ToCity": "",
            "FromZip": "", "SmsSid": sid, "FromState": "", "SmsStatus": "received", "FromCity": "", "Body": body,
            "FromCountry": "US", "To": self.account.number, "ToZip": "", "NumSegments": str(segments(body)),
            "MessageSid": sid, "AccountSid": self.account.sid, "From": sender, "ApiVersion": "2010-04-01",
        }  # fmt: skip
        for index, url in enumerate(media):
            values[f"MediaUrl{index}"] = url
            values[f"MediaContentType{index}"] = "image/png" if url.endswith(".png") else "image/jpeg"
        return values

    async def send(
        self, sender: str, body: str, media: list[str], sid: str = "", signature: str | None = None
    ) -> dict[str, Any]:
        """Send a text to the utility.

        Args:
            sender: the phone, E.164.
            body: what it says.
            media: addresses of pictures.
            sid: a MessageSid to repeat, as Twilio does when it is not sure that it was heard; empty: a new one.
            signature: a signature to send in place of the right one.

        Returns:
            The message's sid and the webhook's status (0: no answer).
        """
        sid = sid or new_sid("MM" if media else "SM")
        form = self.form(sender, body, media, sid)
        signed = self.account.sign(self.webhook.public, form) if signature is None else signature
        headers = {"X-Twilio-Signature": signed, "User-Agent": "TwilioProxy/1.1", "I-Twilio-Idempotency-Token": sid}
        if self.texts.get(sid) is None:
            self.texts.add("inbound", sender, self.account.number, body, sid=sid, media=tuple(media), status="received")
        status, answer = 0, ""
        try:
            async with httpx.AsyncClient(timeout=15.0) as client:  # Twilio's own limit for a webhook
                response = await client.post(self.webhook.address, data=form, headers=headers)
            status, answer = response.status_code, response.text
        except httpx.HTTPError:
            pass
        if status == 200:
            for reply in twiml_messages(answer):
                self.texts.add("outbound-reply", self.account.number, sender, reply, status="delivered")
        return {"sid": sid, "status": status}


def twiml_messages(answer: str) -> list[str]:
    """The texts of the Message verbs in a TwiML answer."""
    try:
        root = ET.fromstring(answer)
    except ET.ParseError:
        return []
    return ["".join(one.itertext()).strip() for one in root if tag(one) == "Message"]
