"""Any reply of ours as words that a voice reads well: nothing is left that it would spell, skip or guess at."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

import phonenumbers

from voice import spoken_numbers as numbers
from voice.pieces import pieces
from voice.spoken_places import addresses
from voice.spoken_words import Words, words_for

__all__ = ["pieces", "speakable"]

_LONGEST = 8_000
"""Characters; a reply is never longer, and a voice would take ten minutes for it."""
_ROUNDS = 4
_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_LINK = re.compile(r"!?\[([^\]\n]{0,300})\]\([^)\s]{0,500}\)")
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,200}>|^\s*(?:[-*•>]|#{1,6})\s+|`+|\*+|~~|(?<!\w)_+|_+(?!\w)", re.MULTILINE)
_WEB = re.compile(
    r"\b(?:https?://|www\.)[^\s<>\"']{1,200}|\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}", re.IGNORECASE
)
_DOMAIN = re.compile(
    r"\b(?:[a-z0-9-]{2,40}\.){1,3}(?:com|org|net|gov|edu|example|us)\b(?:/[^\s.,;!?]*)?", re.IGNORECASE
)
_NAMED_NUMBER = re.compile(
    r"\b(account|acct\.?|reference|ref\.?|ticket|confirmation|meter|case|claim|code|work order|cuenta|referencia|"
    r"código|medidor|caso|confirmación)\b((?:[\s:]+(?:number|no\.|num\.|is|ending in|número|es|núm\.)){0,3}[\s:#]*)"
    r"(\d(?:[\d -]{0,28}\d)?)(?![\w]|[.,:]\d)",
    re.IGNORECASE,
)
_PHONE = re.compile(r"(?<![\w$.-])(?:\+?\d{1,3}[ .-]?)?(?:\(\d{3}\)[ .-]?|\d{3}[ .-])\d{3}[ .-]\d{4}(?![\w-])"
                    r"|(?<![\w$.-])\+\d[\d ().-]{5,20}\d(?!\w)|(?<![\w$.,-])\d{3}[.-]\d{4}(?![\w-])"
                    r"|(?<![\w$.,-])1?[2-9]\d{9}(?![\w-]|[.,]\d)")  # fmt: skip
_SHORT_CODE = re.compile(
    r"(?<![\w$.,-])(?:(911|988)|(?<=call )(\d{3})|(?<=dial )(\d{3})|(?<=llame al )(\d{3})|(?<=then )([2-8]11))"
    r"(?![\w-]|[.,:/]\d)"
)
"""Numbers that are dialled: N11 codes and the crisis line."""
_HALF = r"(?:\s?([AaPp])\.?[Mm]\b(?:\.(?=\s+[a-záéíóúñ(]|[,;:?!]))?)"
_TIME = re.compile(
    rf"(?<![\w:.,$])(\d{{1,2}})(?::([0-5]\d))?(?::[0-5]\d)?{_HALF}|(?<![\w:.])([01]?\d|2[0-3]):([0-5]\d)(?![\d:])"
)
_TIME_RANGE = re.compile(r"(\d(?:\s?[AaPp]\.?[Mm]\.?)?)\s*[-–—]\s*(?=\d{1,2}(?::\d{2})?\s?[AaPp]\.?[Mm])")
_ISO = re.compile(r"(?<![\w-])(\d{4})-(\d{2})-(\d{2})(?:T(?=\d)|(?![\w-]))")
_US_DATE = re.compile(r"(?<![\w/.-])(\d{1,2})/(\d{1,2})(?:/(\d{4}|\d{2}))?(?![\w/])")
_YEAR = re.compile(
    r"\b(in|of|since|until|by|through|de|en|desde|hasta)(\s+)((?:19|20)\d\d)(?![\w-]|[.,:]\d)", re.IGNORECASE
)
_RANGE = re.compile(
    rf"(?<![\w.-])(\$?(?:{_NUMBER})[%¢]?)\s?[–—]\s?(?=\$?\d)|(?<![\w.,-])(\$?\d{{1,3}}(?:\.\d+)?%?)-(?=\$?\d{{1,3}}(?![\d-]))"
)
_MONEY = re.compile(rf"(-\s?)?([$€£])\s?(-)?({_NUMBER}|\.\d+)(\s(?:million|billion|millones))?(?![\d])")
_CENTS = re.compile(rf"(?<![\w.])({_NUMBER})\s?¢")
_FRACTIONS = {"1/2": 0, "1/3": 1, "2/3": 2, "1/4": 3, "3/4": 4}
_FRACTION = re.compile(r"(?<![\w/.])(\d+ )?([123]/[234])(?![\w/])")
_CODE = re.compile(r"(?<![\w'’])(?=[\w-]*\d)(?=[\w-]*[^\W\d_])[^\W_]+(?:-[^\W_]+)*(?![\w'’])")
_CHAIN = re.compile(r"(?<![\w.,-])\d+(?:-\d+)+(?![\w])")
_PLAIN = re.compile(rf"(?<![\w.])(-)?({_NUMBER})(?=(\s+[^\W\d_]{{3,}})?)")
_CAPITALS = re.compile(r"(?<![\w'’])[^\W\d_]{2,}(?![\w])")
_INITIALS = re.compile(r"\b([A-Z])\.(?:([A-Z])\.)(?:([A-Z])\.?)?(?=\W|$)")


def speakable(text: str, language: str = "en") -> str:
    """A text in words that any voice reads well.

    Amounts, dates, times, ranges, phone, account and reference numbers, addresses, units and web addresses are written
    out; markup, emoji and symbols go. The result has letters, spaces, apostrophes, hyphens and . , ; : ? ! only.

    Args:
        text: a reply as it came from the dialogue, or a piece of it. Nothing in it is trusted.
        language: "en" or "es"; others are read as English.
    """
    return _settled(text[:_LONGEST], language if language in ("en", "es") else "en")


@lru_cache(maxsize=2_048)
def _settled(text: str, language: str) -> str:
    words = words_for(language)
    for _ in range(_ROUNDS):
        # Words that were written out can bring others together; what is settled stays as it is when spoken again.
        said = _once(text, language, words)
        if said == text:
            break
        text = said
    return text


def _once(text: str, language: str, words: Words) -> str:
    text = _letters(text)
    text = _LINK.sub(r"\1", text)
    text = _TAG.sub(" ", text)
    text = _WEB.sub(lambda found: _web(found[0], language, words), text)
    text = _DOMAIN.sub(lambda found: _web(found[0], language, words), text)
    if re.search(r"\d", text):
        text = _numbers(text, language, words)
    else:
        text = addresses(text, language)
    text = words.expand(text)
    text = _INITIALS.sub(lambda found: " ".join(letter for letter in found.groups() if letter), text)
    text = _CAPITALS.sub(lambda found: words.capitals(found[0]), text)
    return _tidy(words.symbols(text))


def _letters(text: str) -> str:
    """Compatibility forms composed, any script's digits as 0 to 9, typographic signs as plain ones."""
    text = unicodedata.normalize("NFKC", text.replace("½", " 1/2").replace("¼", " 1/4").replace("¾", " 3/4"))
    text = text.translate({0x2019: "'", 0x2018: "'", 0x2044: "/", 0x2212: "-", 0x2011: "-", 0x2010: "-", 0xA0: " "})
    if text.isascii():
        return text
    return "".join(
        str(unicodedata.decimal(char)) if char.isdecimal() else " " if unicodedata.category(char)[0] in "NC" else char
        for char in text
    )


def _numbers(text: str, language: str, words: Words) -> str:
    """Everything with digits in it, the kinds that are surest first."""
    text = _NAMED_NUMBER.sub(lambda found: _named(found, language), text)
    text = _ISO.sub(lambda found: _dated(found[0], int(found[2]), int(found[3]), int(found[1]), language) + " ", text)
    text = _PHONE.sub(lambda found: _phone(found[0], language), text)
    text = _SHORT_CODE.sub(
        lambda found: numbers.digit_by_digit(next(filter(None, found.groups())), language, [found[0]]), text
    )
    text = _TIME_RANGE.sub(rf"\1 {words.to} ", text)
    text = _TIME.sub(lambda found: _time(found, language), text)
    text = _FRACTION.sub(lambda found: _fraction(found, language, words), text)
    text = _US_DATE.sub(lambda found: _us_date(found, language), text)
    text = words.dates(text)
    text = _YEAR.sub(lambda found: f"{found[1]}{found[2]}{numbers.year(int(found[3]), language)}", text)
    text = _RANGE.sub(lambda found: f"{found[1] or found[2]} {words.to} ", text)
    text = _MONEY.sub(lambda found: _money(found, language, words), text)
    text = _CENTS.sub(lambda found: f"{numbers.decimal(found[1], language, True)} {words.cents(found[1] == '1')}", text)
    text = addresses(text, language)
    text = words.units(text)
    text = _CODE.sub(lambda found: _code(found[0], language), text)
    text = _CHAIN.sub(lambda found: numbers.digit_by_digit("", language, found[0].split("-")), text)
    text = _PLAIN.sub(lambda found: _plain(found, language), text)
    # What no rule knew: each digit by its name.
    return re.sub(r"\d", lambda found: f" {numbers.DIGITS[language][int(found[0])]} ", text)


def _web(text: str, language: str, words: Words) -> str:
    """A web or e-mail address letter group by letter group, without what nobody says aloud."""
    address = re.sub(r"^https?://(?:www\.)?|^www\.", "", text, flags=re.IGNORECASE)
    end = re.search(r"[.,;:?!)]*$", address)
    tail = end[0] if end else ""
    address = address[: len(address) - len(tail)].rstrip("/")
    signs = {".": words.dot, "/": words.slash, "@": words.at, "-": words.dash, "_": words.dash, "+": words.plus}
    names = numbers.DIGITS[language]
    said = "".join(
        f" {signs[char]} "
        if char in signs
        else f" {names[int(char)]} "
        if char.isdigit()
        else char
        if char.isalpha()
        else " "
        for char in address
    )
    return said + (tail[-1] if tail else "")


def _named(found: re.Match[str], language: str) -> str:
    parts = found[3].replace("-", " ").split()
    digits = "".join(parts)
    if len(digits) < 3:
        return found[0]
    groups = parts if len(parts) > 1 else None
    return f"{found[1]}{found[2]}{numbers.digit_by_digit(digits, language, groups or ())}"


def _phone(text: str, language: str) -> str:
    digits = re.sub(r"\D", "", text)
    try:
        number = phonenumbers.parse(text if text.startswith("+") or len(digits) < 11 else f"+{digits}", "US")
        if not phonenumbers.is_possible_number(number):
            return text
    except phonenumbers.NumberParseException:
        return text
    if number.country_code == 1:
        national = str(number.national_number)
        groups = [national[:-7], national[-7:-4], national[-4:]]
        return numbers.digit_by_digit("", language, [group for group in groups if group])
    shape = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    plus = "más" if language == "es" else "plus"
    return f"{plus} {numbers.digit_by_digit('', language, re.findall(r'[0-9]+', shape))}"


def _time(found: re.Match[str], language: str) -> str:
    if found[3] is not None:
        hour, minute, half = int(found[1]), int(found[2] or 0), found[3].lower()
        if not 1 <= hour <= 12:
            half = "" if hour < 24 else half
        if hour > 23:
            return found[0].replace(":", " ")
    else:
        hour, minute, half = int(found[4]), int(found[5]), ""
    return numbers.clock(hour, minute, half, language)


def _dated(text: str, month: int, day: int, of_year: int | None, language: str) -> str:
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return re.sub(r"[-/]", " ", text)
    return numbers.date(month, day, of_year, language)


def _us_date(found: re.Match[str], language: str) -> str:
    of_year = int(found[3]) if found[3] else None
    if of_year is not None and of_year < 100:
        of_year += 2_000
    return _dated(found[0], int(found[1]), int(found[2]), of_year, language)


def _fraction(found: re.Match[str], language: str, words: Words) -> str:
    if found[2] not in _FRACTIONS:
        return found[0]
    said = words.fractions[_FRACTIONS[found[2]]]
    return f"{numbers.decimal(found[1].strip(), language)} {words.and_} {said}" if found[1] else said


def _money(found: re.Match[str], language: str, words: Words) -> str:
    minus = f"{words.minus} " if found[1] or found[3] else ""
    large = found[5]
    if large:
        plural = numbers.money("2", found[2], language).split()[-1]
        return f"{minus}{numbers.decimal(found[4], language)}{large} {'de ' if language == 'es' else ''}{plural}"
    return f"{minus}{numbers.money(found[4], found[2], language)}"


def _code(text: str, language: str) -> str:
    parts = text.split("-")
    if any(part.isalpha() and part[1:].islower() and len(part) >= 3 for part in parts):
        return " ".join(parts)  # "24-hour"
    groups = [group for part in parts for group in re.findall(r"\d+|[^\W\d_]+", part)]
    names = numbers.DIGITS[language]
    spelt = [" ".join(names[int(char)] if char.isdigit() else char.upper() for char in group) for group in groups]
    return (", " if len(parts) > 1 else " ").join(spelt)


def _plain(found: re.Match[str], language: str) -> str:
    digits = found[2]
    minus = ("menos " if language == "es" else "minus ") if found[1] else ""
    if digits.isdigit() and (len(digits) > 4 or (len(digits) > 1 and digits.startswith("0"))):
        return minus + numbers.digit_by_digit(digits, language)
    return minus + numbers.decimal(digits, language, noun=bool(found[3]))


_TIDYING: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"(?<!\w)[-']+|[-']+(?!\w)"), " "),
    (re.compile(r"-{2,}"), "-"),
    (re.compile(r"'{2,}"), "'"),
    (re.compile(r"\s+"), " "),
    (re.compile(r"\s+([.,;:?!])"), r"\1"),
    (re.compile(r"[.,;:?!]{2,}"), lambda found: _strongest(found[0])),
    (re.compile(r"([.,;:?!])(?=[^\s])"), r"\1 "),
)


def _strongest(marks: str) -> str:
    return next((mark for mark in "?!.;:," if mark in marks), ",")


def _tidy(text: str) -> str:
    """Letters and plain punctuation only, with the spaces where they belong."""
    text = "".join(
        char if char.isalpha() or char in " .,;:?!'-" or unicodedata.combining(char) else " " for char in text
    )
    for pattern, by in _TIDYING:
        text = pattern.sub(by, text)
    return text.strip(" ,;:-'").lstrip(".?!, ;:")
