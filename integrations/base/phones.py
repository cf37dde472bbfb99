"""Telephone numbers in E.164, by Google's phonenumbers."""

from __future__ import annotations

import phonenumbers

# A written extension is not part of the number; it would survive parsing and then be dropped silently.
_LONGEST = 40


def to_e164(text: str, region: str = "US") -> str | None:
    """A telephone number as people and carriers write it, in E.164; None when it cannot be one.

    A number has to be possible, not valid: numbers reserved for fiction (555-01xx) are not assigned to anybody and
    therefore never "valid", and new area codes reach us before they reach the tables.

    Args:
        text: "(555) 555-0142", "+1 555 555 0142", "555.555.0142 ext 3", ...
        region: assumed country when the number has no country code.
    """
    if not text or len(text) > _LONGEST:
        return None
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
