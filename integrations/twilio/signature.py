"""X-Twilio-Signature (https://www.twilio.com/docs/usage/security#validating-requests).

The SHA-1 HMAC, by the account's token, of the address that Twilio called followed by each form field's name and value
in the order of the names. Fields without a value are signed too, so the body is read here as it came: a framework's
form has lost them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from urllib.parse import SplitResult, parse_qsl, urlsplit, urlunsplit

_MOST_FIELDS = 2000
_PORTS = {"https": 443, "http": 80, "wss": 443, "ws": 80}


def signature(url: str, fields: list[tuple[str, str]], token: str) -> str:
    """What Twilio puts into the header.

    Args:
        url: the full address with its query, as Twilio called it.
        fields: of the form, repeated names included; duplicates of a pair are signed once.
        token: the account's auth token.
    """
    text = url + "".join(name + value for name, value in sorted(set(fields)))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


def _with_and_without_port(url: str) -> list[str]:
    """Twilio signs the port or not, depending on the product and the scheme; both are the same address."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if ":" in host:
        host = f"[{host}]"
    login = parts.netloc.rpartition("@")[0] + "@" if "@" in parts.netloc else ""

    def with_host(netloc: str) -> str:
        return urlunsplit(SplitResult(parts.scheme, login + netloc, parts.path, parts.query, parts.fragment))

    port = parts.port or _PORTS.get(parts.scheme.lower())
    return [with_host(f"{host}:{port}" if port else host), with_host(host), url]


def valid_signature(url: str, raw_body: bytes, header: str, token: str) -> bool:
    """Whether a request was signed by Twilio with our token.

    Args:
        url: the public address of the webhook with its query, built from PUBLIC_URL and never from the Host header.
        raw_body: the body as it came. When the address carries bodySHA256 (JSON), the body is checked by that.
        header: X-Twilio-Signature; empty when it was missing.
        token: the account's auth token; with none nothing is valid.
    """
    if not token or not header:
        return False
    try:
        variants = _with_and_without_port(url)
        body_hash = dict(parse_qsl(urlsplit(url).query)).get("bodySHA256")
        if body_hash is not None:
            if not hmac.compare_digest(hashlib.sha256(raw_body).hexdigest().encode(), body_hash.lower().encode()):
                return False
            fields: list[tuple[str, str]] = []
        else:
            text = raw_body.decode("utf-8", "surrogateescape")
            fields = parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
        expected = [signature(variant, fields, token) for variant in variants]
    except ValueError:
        # No address, too many fields, or text that is none.
        return False
    given = header.strip().encode("utf-8", "replace")
    # All are compared, so that the time tells nothing.
    return any([hmac.compare_digest(one.encode(), given) for one in expected])
