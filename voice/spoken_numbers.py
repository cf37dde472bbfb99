"""Numbers in words, as people say each kind: counted, dialled, dated, priced, or on a door. English and Spanish."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from num2words import num2words

_LONGEST_COUNTED = 12
"""Digits. Nobody follows a longer number as a quantity; it is read digit by digit."""
DIGITS = {
    "en": ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    "es": ("cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve"),
}
MONTHS = {
    "en": (
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ),
    "es": (
        "enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre",
        "diciembre",
    ),
}  # fmt: skip
_POINT = {"en": "point", "es": "punto"}
_MONEY = {
    "$": {"en": ("dollar", "dollars", "cent", "cents"), "es": ("dólar", "dólares", "centavo", "centavos")},
    "€": {"en": ("euro", "euros", "cent", "cents"), "es": ("euro", "euros", "céntimo", "céntimos")},
    "£": {"en": ("pound", "pounds", "penny", "pence"), "es": ("libra", "libras", "penique", "peniques")},
}
_ROMANCE_ONE = re.compile(r"(?:(veinti)|\b)uno$")


@lru_cache(maxsize=4_096)
def cardinal(number: int, language: str = "en") -> str:
    """A quantity: 1204 is "one thousand two hundred four", without the "and" that would sound like cents."""
    if number < 0:
        return f"{'menos' if language == 'es' else 'minus'} {cardinal(-number, language)}"
    if len(str(number)) > _LONGEST_COUNTED:
        return digit_by_digit(str(number), language)
    words = str(num2words(number, lang=language))
    return words if language == "es" else words.replace(",", "").replace(" and ", " ")


def counted(number: int, language: str = "en") -> str:
    """A quantity of something: Spanish "uno" is shortened before the word ("veintiún dólares")."""
    words = cardinal(number, language)
    if language != "es":
        return words
    return _ROMANCE_ONE.sub(lambda found: "veintiún" if found[1] else "un", words)


@lru_cache(maxsize=512)
def ordinal(number: int, language: str = "en") -> str:
    """A rank: 22 is "twenty-second"."""
    if number > 9_999:
        return cardinal(number, language)
    words = str(num2words(number, lang=language, to="ordinal"))
    return words if language == "es" else words.replace(",", "").replace(" and ", " ")


@lru_cache(maxsize=256)
def year(number: int, language: str = "en") -> str:
    """A year: 2026 is "twenty twenty-six"."""
    if language == "es":
        return cardinal(number, language)
    return str(num2words(number, lang="en", to="year")).replace(" and ", " ").replace("oh-", "oh ")


def decimal(text: str, language: str = "en", noun: bool = False) -> str:
    """A written number: "1,300", "3.50", "-5".

    Args:
        text: digits, commas for thousands, at most one point.
        language: "en" or "es".
        noun: a counted thing follows.
    """
    whole, _, part = text.replace(",", "").partition(".")
    minus = whole.startswith("-")
    whole = whole.lstrip("-") or "0"
    if not part and len(whole) > 1 and whole.startswith("0"):
        words = digit_by_digit(whole, language)
    else:
        words = (counted if noun and not part else cardinal)(int(whole), language)
    if part:
        words += f" {_POINT[language]} " + " ".join(DIGITS[language][int(digit)] for digit in part)
    return f"{'menos' if language == 'es' else 'minus'} {words}" if minus else words


def groups_of(digits: str) -> list[str]:
    """A long number in groups that can be remembered: threes where they fit, else fours, never one digit alone."""
    if len(digits) <= 4:
        return [digits] if digits else []
    size = 3 if len(digits) % 3 == 0 and len(digits) <= 9 else 4
    groups = [digits[at : at + size] for at in range(0, len(digits), size)]
    if len(groups[-1]) == 1:
        groups[-2:] = [groups[-2][:-1], groups[-2][-1] + groups[-1]]
    return groups


def digit_by_digit(digits: str, language: str = "en", groups: Sequence[str] = ()) -> str:
    """A number that names something: each digit, with a pause between groups.

    Args:
        digits: ASCII digits only.
        language: "en" or "es".
        groups: how it is to be grouped; by default `groups_of`.
    """
    names = DIGITS[language]
    return ", ".join(" ".join(names[int(digit)] for digit in group) for group in groups or groups_of(digits))


def house(digits: str, language: str = "en") -> str:
    """A number on a door: 1423 is "fourteen twenty-three", 105 "one oh five", 1400 "fourteen hundred"."""
    number = int(digits)
    if digits.startswith("0") or len(digits) > 5:
        return digit_by_digit(digits, language)
    if len(digits) <= 2 or number % 1_000 == 0:
        return cardinal(number, language)
    if language == "es":
        return cardinal(number, language) if len(digits) == 3 else _pairs(digits, language)
    if number % 100 == 0 and len(digits) < 5:
        return f"{cardinal(number // 100)} hundred"
    return _pairs(digits, language)


def _pairs(digits: str, language: str) -> str:
    parts = [digits[:1], digits[1:3], digits[3:]] if len(digits) == 5 else [digits[:-2], digits[-2:]]
    said: list[str] = []
    for part in (part for part in parts if part):
        if len(part) == 2 and part.startswith("0") and said:
            said.append(f"{'cero' if language == 'es' else 'oh'} {cardinal(int(part), language)}")
        else:
            said.append(cardinal(int(part), language))
    return " ".join(said)


def money(text: str, sign: str = "$", language: str = "en") -> str:
    """An amount: "1,204.50" is "one thousand two hundred four dollars and fifty cents".

    Args:
        text: digits, with commas and at most one point; other than two places are read as they are.
        sign: one of "$", "€", "£".
        language: "en" or "es".
    """
    one, many, one_part, many_parts = _MONEY[sign][language]
    whole, _, part = text.replace(",", "").partition(".")
    amount = int(whole or "0")
    if part and len(part) != 2:
        return f"{decimal(f'{amount}.{part}', language)} {many}"
    parts = int(part or "0")
    said = f"{counted(amount, language)} {one if amount == 1 else many}"
    cents = f"{counted(parts, language)} {one_part if parts == 1 else many_parts}"
    if not parts:
        return said
    return cents if not amount else f"{said} {'con' if language == 'es' else 'and'} {cents}"


def clock(hour: int, minute: int, half: str, language: str = "en") -> str:
    """A time of day: "four thirty PM", "cuatro y treinta de la tarde"; twelve sharp is noon or midnight.

    Both bundled voices read "PM" and "AM" in capitals as letters, and "a m" as the article and a letter.

    Args:
        hour: 0 to 23; 1 to 12 when `half` is given.
        minute: 0 to 59.
        half: "a", "p", or "" for a time on the twenty-four hour clock.
        language: "en" or "es".
    """
    if half and hour == 12 and minute == 0:
        names = ("midnight", "noon") if language == "en" else ("medianoche", "mediodía")
        return names[half == "p"]
    if language == "es":
        said = "una" if hour == 1 else cardinal(hour, "es")
        said += f" y {cardinal(minute, 'es')}" if minute else ""
        evening = half == "p" and 7 <= hour < 12
        return said + {"a": " de la mañana", "p": " de la noche" if evening else " de la tarde", "": ""}[half]
    minutes = f"oh {cardinal(minute)}" if 0 < minute < 10 else cardinal(minute) if minute else ""
    last = {"a": "AM", "p": "PM", "": "" if minutes else "o'clock"}[half]
    return " ".join(word for word in (cardinal(hour), minutes, last) if word)


def date(month: int, day: int, of_year: int | None, language: str = "en") -> str:
    """A date: "November twenty-second, twenty twenty-six", "veintidós de noviembre de dos mil veintiséis"."""
    name = MONTHS[language][month - 1]
    if language == "es":
        said = f"{'primero' if day == 1 else cardinal(day, 'es')} de {name}"
        return f"{said} de {year(of_year, 'es')}" if of_year else said
    return f"{name} {ordinal(day)}" + (f", {year(of_year)}" if of_year else "")
