"""Signed tokens: a web session, a customer whom the utility's own portal vouches for, and a call's media socket."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

from itsdangerous import BadSignature, URLSafeTimedSerializer

from integrations.base.phones import to_e164

CUSTOMER_SECONDS = 600
"""Life of a portal's token: long enough to open the widget, short enough to be worth little."""
SESSION_SECONDS = 86_400
MEDIA_SECONDS = 60
"""Life of a media socket's token: Twilio opens the socket as soon as it has read our answer."""


class TokenRejected(ValueError):
    """Not signed by us, too old, or not what it should be."""


@dataclass(frozen=True, slots=True)
class Session:
    """A web conversation.

    Attributes:
        conversation_id: ours.
        phone: of the signed-in customer, E.164; None for a visitor.
    """

    conversation_id: str
    phone: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class MediaPass:
    """What a media socket's token vouches for.

    Attributes:
        call_sid: the call whose socket it is.
        nonce: names this token, so that it can be used once.
    """

    call_sid: str
    nonce: str


class Tokens:
    """Makes and reads tokens.

    Args:
        secret: WEBCHAT_SECRET; the portal that signs customers in has it too.
    """

    def __init__(self, secret: str) -> None:
        self._sessions = URLSafeTimedSerializer(secret, salt="porchlight.session")
        self._customers = URLSafeTimedSerializer(secret, salt="porchlight.customer")
        self._media = URLSafeTimedSerializer(secret, salt="porchlight.media")

    @staticmethod
    def new_session(phone: str | None = None) -> Session:
        """A conversation that nobody had before."""
        return Session(f"web-{secrets.token_urlsafe(15)}", phone)

    def sign_session(self, session: Session) -> str:
        """A token for the browser to keep."""
        return str(self._sessions.dumps({"c": session.conversation_id, "p": session.phone}))

    def read_session(self, token: str) -> Session:
        """The session of a token.

        Raises:
            TokenRejected: it is not one of ours, or too old.
        """
        data = _load(self._sessions, token, SESSION_SECONDS)
        conversation = data.get("c")
        if not isinstance(conversation, str) or not conversation.startswith("web-"):
            raise TokenRejected("not a session")
        phone = data.get("p")
        return Session(conversation, phone if isinstance(phone, str) else None)

    def sign_customer(self, phone: str, account_number: str = "") -> str:
        """A token that vouches for a signed-in customer; valid for `CUSTOMER_SECONDS`.

        Args:
            phone: theirs, as the portal knows it.
            account_number: theirs.

        Raises:
            ValueError: the phone cannot be one.
        """
        e164 = to_e164(phone)
        if not e164:
            raise ValueError("not a telephone number")
        return str(self._customers.dumps({"phone": e164, "account": account_number}))

    def read_customer(self, token: str) -> str:
        """The telephone number (E.164) that a portal's token vouches for.

        Raises:
            TokenRejected: it is not signed with our secret, or too old.
        """
        phone = _load(self._customers, token, CUSTOMER_SECONDS).get("phone")
        e164 = to_e164(phone) if isinstance(phone, str) else None
        if not e164:
            raise TokenRejected("not a customer")
        return e164

    def sign_media(self, call_sid: str) -> str:
        """A token for the last path segment of one call's media socket; valid for `MEDIA_SECONDS`."""
        return str(self._media.dumps([call_sid, secrets.token_urlsafe(9)]))

    def read_media(self, token: str) -> MediaPass:
        """What a media socket's token vouches for. That it is used once is for the caller to see to.

        Raises:
            TokenRejected: it is not signed with our secret, or too old.
        """
        data = _loads(self._media, token, MEDIA_SECONDS)
        if not (isinstance(data, list) and len(data) == 2 and all(isinstance(part, str) and part for part in data)):
            raise TokenRejected("not a media token")
        return MediaPass(data[0], data[1])


def _load(serializer: URLSafeTimedSerializer, token: str, max_age: int) -> dict[str, Any]:
    data = _loads(serializer, token, max_age)
    if not isinstance(data, dict):
        raise TokenRejected("not an object")
    return data


def _loads(serializer: URLSafeTimedSerializer, token: str, max_age: int) -> Any:
    if len(token) > 2_000:
        raise TokenRejected("too long")
    try:
        return serializer.loads(token, max_age=max_age)
    except BadSignature:  # also too old
        raise TokenRejected("bad signature") from None
