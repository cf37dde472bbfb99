"""How alike two addresses are."""

from __future__ import annotations

import re

from rapidfuzz import fuzz

_WORDS = {
    "st": "street", "str": "street", "ave": "avenue", "av": "avenue", "rd": "road", "ln": "lane", "dr": "drive",
    "wy": "way", "ct": "court", "crt": "court", "pl": "place", "blvd": "boulevard", "hwy": "highway", "ter": "terrace",
    "cir": "circle", "sq": "square", "n": "north", "s": "south", "e": "east", "w": "west", "mt": "mount",
    "apartment": "apt", "unit": "apt", "suite": "apt", "ste": "apt",
}  # fmt: skip
_UNIT = re.compile(r"(?:\b(?:apt|apartment|unit|suite|ste)\b\.?|#)\s*#?\s*([a-z]?\d+[a-z]?|[a-z])\b")


def plain(text: str) -> str:
    """Lower case, words and digits, street types and directions in full, without the unit."""
    # "Cooper's" is one word; its s is not "south".
    without_unit = _UNIT.sub(" ", re.sub(r"['’]", "", text.lower()))
    return " ".join(_WORDS.get(word, word) for word in re.findall(r"[a-z]+|\d+", without_unit))


def unit_of(text: str) -> str | None:
    """The unit's number or letter, if one is named."""
    match = _UNIT.search(text.lower())
    return match[1] if match else None


def house_number(text: str) -> str | None:
    """The house number: the first number that stands before a word."""
    match = re.search(r"\b(\d+)[a-z]?\s+[a-z]", text.lower())
    return match[1] if match else None


def _names(text: str) -> str:
    return " ".join(re.sub(r"\d+", " ", plain(text)).split())


def likeness(wanted: str, address: str, unit: str | None = None) -> float:
    """How likely a customer who wrote `wanted` means `address`.

    A misspelt street is forgiven; another house number or another unit is another place.

    Args:
        wanted: in the customer's words.
        address: the CIS's.
        unit: the CIS's, when it is not in the address.

    Returns:
        0 to 100.
    """
    left = _names(wanted)
    # The town and the state are often left out.
    rights = [right for right in (_names(address), _names(address.split(",")[0])) if right]
    if not left or not rights:
        return 0.0
    whole = max(fuzz.token_sort_ratio(left, right) for right in rights)
    # The words that were given have to be there, in any order.
    part = max(fuzz.partial_token_sort_ratio(left, right) for right in rights) * 0.97
    score = max(whole, part)
    number = house_number(wanted)
    if number is None:
        score -= 15.0
    elif number != house_number(address):
        score -= 45.0
    wanted_unit = unit_of(wanted)
    given_unit = unit_of(unit or "") or (unit or "").lower().split(" ")[-1] or unit_of(address)
    if wanted_unit and wanted_unit != given_unit:
        score -= 12.0
    return max(0.0, min(100.0, score))
