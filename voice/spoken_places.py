"""Street addresses in words: house numbers as people say them, St as Street or Saint, directions, units, states."""

from __future__ import annotations

import re

from voice.spoken_numbers import digit_by_digit, house, ordinal

_SUFFIXES = {
    "st": "Street", "str": "Street", "ave": "Avenue", "av": "Avenue", "rd": "Road", "ln": "Lane", "dr": "Drive",
    "ct": "Court", "crt": "Court", "pl": "Place", "blvd": "Boulevard", "hwy": "Highway", "pkwy": "Parkway",
    "ter": "Terrace", "terr": "Terrace", "cir": "Circle", "sq": "Square", "trl": "Trail", "xing": "Crossing",
    "wy": "Way", "expy": "Expressway", "tpke": "Turnpike", "rte": "Route",
}  # fmt: skip
_DIRECTIONS = {
    "N": "North", "S": "South", "E": "East", "W": "West",
    "NE": "Northeast", "NW": "Northwest", "SE": "Southeast", "SW": "Southwest",
}  # fmt: skip
_UNITS = {
    "en": {"apt": "apartment", "unit": "unit", "ste": "suite", "rm": "room", "fl": "floor", "bldg": "building"},
    "es": {
        "apt": "apartamento", "unit": "unidad", "ste": "oficina", "rm": "cuarto", "fl": "piso", "bldg": "edificio",
    },
}  # fmt: skip
_STATES = dict(
    pair.split(":")
    for pair in (
        "AL:Alabama,AK:Alaska,AZ:Arizona,AR:Arkansas,CA:California,CO:Colorado,CT:Connecticut,DE:Delaware,FL:Florida,"
        "GA:Georgia,HI:Hawaii,ID:Idaho,IL:Illinois,IN:Indiana,IA:Iowa,KS:Kansas,KY:Kentucky,LA:Louisiana,ME:Maine,"
        "MD:Maryland,MA:Massachusetts,MI:Michigan,MN:Minnesota,MS:Mississippi,MO:Missouri,MT:Montana,NE:Nebraska,"
        "NV:Nevada,NH:New Hampshire,NJ:New Jersey,NM:New Mexico,NY:New York,NC:North Carolina,ND:North Dakota,OH:Ohio,"
        "OK:Oklahoma,OR:Oregon,PA:Pennsylvania,RI:Rhode Island,SC:South Carolina,SD:South Dakota,TN:Tennessee,TX:Texas,"
        "UT:Utah,VT:Vermont,VA:Virginia,WA:Washington,WV:West Virginia,WI:Wisconsin,WY:Wyoming,DC:D C,PR:Puerto Rico"
    ).split(",")
)
_ALSO_WORDS = frozenset(("HI", "ID", "IN", "OH", "OK", "OR", "PA", "MA", "LA"))
"""Codes that are words too ("call us, OK?"): a state only before a ZIP code."""
_NOT_STREETS = (
    r"(?!(?:January|February|March|April|May|June|July|August|September|October|November|December|AM|PM|A\.M|P\.M|"
    r"Mon|Tues|Wednes|Thurs|Fri|Satur|Sun|OK|I\b|I'|W\b\s*(?:$|[^\sA-Z])|V\b|KWH|KW|MW)\w*)"
)
_SUFFIX = "|".join(sorted(_SUFFIXES, key=len, reverse=True))
_DIRECTION = "NE|NW|SE|SW|N|S|E|W"
_STATE = re.compile(rf"(?<=[a-z]),?\s+({'|'.join(_STATES)})\b(\s+(\d{{5}})(?:-(\d{{4}}))?(?!\d))?")
_UNIT = re.compile(
    r"\b(apartment|apt|unit|suite|ste|room|rm|floor|fl|building|bldg|apartamento)\b\.?[ ]*#?[ ]*"
    r"(\d{1,5})?-?([A-Za-z]?)(?![\w'])",
    re.IGNORECASE,
)
_NUMBER_SIGN_UNIT = re.compile(r"\b([A-Z][\w'’]*\.?),?\s*#\s*(\d{1,5})([A-Z]?)\b")
# A house number stands before a direction, a capital letter, or a numbered street.
_HOUSE = re.compile(
    rf"(?<![\w.,:$#/-])(\d{{1,5}})([A-Za-z]?)(?=\s+(?:(?:{_DIRECTION})\.?\s+)?"
    rf"(?:{_NOT_STREETS}[A-ZÁÉÍÓÚÑ][\w'’.-]*|\d{{1,3}}(?:st|nd|rd|th)\s+[A-Z]))"
)
_HOUSE_MARK = "\ue000"
_SAINT = re.compile(
    rf"(^|[^\w\s]\s*|(?<![\w'’])[a-z]\S*\s+|{_HOUSE_MARK}\s+|\b(?:{_DIRECTION})\.?\s+)St\.?\s+(?=[A-Z][a-z])"
)
_NAMED = re.compile(rf"(?<=[\w'’])(\.?\s+)({_SUFFIX})\b(\.?)(?=(\s*)(\S?\w{{0,12}}))", re.IGNORECASE)
_BEFORE_STREET = re.compile(rf"(?<={_HOUSE_MARK})(\s+)({_DIRECTION})\b\.?(?=\s+[A-Z0-9])")
_AFTER_STREET = re.compile(
    rf"\b({'|'.join(sorted(set(_SUFFIXES.values())))})\s+({_DIRECTION})\b(?:\.(?=\s*[\w,]))?(?!\s*['’])"
)
_NUMBERED = re.compile(r"\b(\d{1,4})(?:st|nd|rd|th)\b", re.IGNORECASE)


def addresses(text: str, language: str = "en") -> str:
    """The same text with the addresses in it in words.

    Args:
        text: a reply; what is no part of an address is left as it is.
        language: "en" or "es"; street names stay as they are.
    """
    text = _STATE.sub(lambda found: _state(found, language), text)
    text = _UNIT.sub(lambda found: _unit(found, language), text)
    number = "número" if language == "es" else "number"
    text = _NUMBER_SIGN_UNIT.sub(
        lambda found: f"{found[1]}, {number} {house(found[2], language)}{' ' if found[3] else ''}{found[3].upper()}",
        text,
    )
    text = _HOUSE.sub(
        lambda found: f"{house(found[1], language)}{' ' if found[2] else ''}{found[2].upper()}{_HOUSE_MARK}", text
    )
    text = _BEFORE_STREET.sub(lambda found: f"{found[1]}{_DIRECTIONS[found[2]]}", text)
    text = _SAINT.sub(lambda found: f"{found[1]}Saint ", text)
    text = _NAMED.sub(_suffix, text)
    text = _AFTER_STREET.sub(lambda found: f"{found[1]} {_DIRECTIONS[found[2]]}", text)
    text = text.replace(_HOUSE_MARK, "")
    return _NUMBERED.sub(lambda found: ordinal(int(found[1]), language), text)


def _state(found: re.Match[str], language: str) -> str:
    code, zip_code, plus_four = found[1], found[3], found[4]
    if not zip_code and (code in _ALSO_WORDS or "," not in found[0]):
        return found[0]
    said = f", {_STATES[code]}"
    if zip_code:
        said += f", {digit_by_digit(zip_code, language, [zip_code])}"
    return said + (f", {digit_by_digit(plus_four, language)}" if plus_four else "")


def _unit(found: re.Match[str], language: str) -> str:
    kind, digits, letter = found[1].lower(), found[2], found[3]
    if not digits and not (letter and letter.isupper()):
        return _UNITS[language].get(kind, found[1]) + found[0][len(found[1]) :].lstrip(".") if kind in (
            "apt", "ste", "rm", "bldg",
        ) else found[0]  # fmt: skip
    names = _UNITS[language]
    said = names.get(
        {"apartment": "apt", "suite": "ste", "room": "rm", "floor": "fl", "building": "bldg"}.get(kind, kind)
    )
    return " ".join(part for part in (said or kind, house(digits, language) if digits else "", letter.upper()) if part)


def _suffix(found: re.Match[str]) -> str:
    """A street's kind in full, where it stands after a name and not before one."""
    before, word, stop, space, after = found[1], found[2], found[3], found[4], found[5]
    if not word[0].isupper():
        return found[0]
    previous = re.search(r"([\w'’-]+)$", found.string[: found.start()])
    named = previous is not None and (previous[1][0].isupper() or bool(re.search(r"\d|th$|st$|nd$|rd$", previous[1])))
    if not named or "." in before:
        return found[0]
    # "Lantern St. The crew": the stop belongs to the sentence as well.
    ends = bool(stop) and (not after or (bool(space) and after[0].isupper() and after not in _DIRECTIONS))
    return f"{before}{_SUFFIXES[word.lower()]}{'.' if ends else ''}"
