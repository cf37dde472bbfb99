"""A request that Twilio signed, read as it came: the one check in front of every webhook, of texts and of calls."""

from __future__ import annotations

from urllib.parse import parse_qsl

from starlette.requests import Request

from integrations.twilio.signature import valid_signature

LONGEST_BODY = 512_000
_MOST_FIELDS = 2_000

Fields = dict[str, str]


class WebhookRefused(Exception):
    """A request that is not answered.

    Attributes:
        status: of the HTTP answer: 403 not signed with our token, 413 too long.
    """

    def __init__(self, status: int) -> None:
        super().__init__(f"refused with {status}")
        self.status = status


async def signed_form(request: Request, public_url: str, token: str) -> Fields:
    """The form of a request that Twilio signed; blank fields are part of it.

    Args:
        request: its body has not been read.
        public_url: PUBLIC_URL; the signature covers it, never the Host header.
        token: TWILIO_AUTH_TOKEN.

    Raises:
        WebhookRefused: it is not signed with our token, or too long to be read.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST_BODY:
            raise WebhookRefused(413)
    query = f"?{request.url.query}" if request.url.query else ""
    url = f"{public_url}{request.url.path}{query}"
    if not valid_signature(url, bytes(body), request.headers.get("x-twilio-signature", ""), token):
        raise WebhookRefused(403)
    # Lone surrogates could not be written anywhere; they become replacement characters.
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MOST_FIELDS))
