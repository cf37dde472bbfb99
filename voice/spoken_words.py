"""The words of a language for what is no number: units, abbreviations, signs, capitals, dates with a month's name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from voice import spoken_numbers as numbers

_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_UNITS = {
    # as written: (English one, many, Spanish one, many)
    "kwh": ("kilowatt hour", "kilowatt hours", "kilovatio hora", "kilovatios hora"),
    "mwh": ("megawatt hour", "megawatt hours", "megavatio hora", "megavatios hora"),
    "wh": ("watt hour", "watt hours", "vatio hora", "vatios hora"),
    "kw": ("kilowatt", "kilowatts", "kilovatio", "kilovatios"),
    "mw": ("megawatt", "megawatts", "megavatio", "megavatios"),
    "kva": ("kilovolt amp", "kilovolt amps", "kilovoltamperio", "kilovoltamperios"),
    "kv": ("kilovolt", "kilovolts", "kilovoltio", "kilovoltios"),
    "W": ("watt", "watts", "vatio", "vatios"),
    "V": ("volt", "volts", "voltio", "voltios"),
    "amp": ("amp", "amps", "amperio", "amperios"),
    "therm": ("therm", "therms", "termia", "termias"),
    "ccf": ("hundred cubic feet", "hundred cubic feet", "cien pies cúbicos", "cien pies cúbicos"),
    "mcf": ("thousand cubic feet", "thousand cubic feet", "mil pies cúbicos", "mil pies cúbicos"),
    "btu": ("B T U", "B T U", "B T U", "B T U"),
    "°f": ("degree Fahrenheit", "degrees Fahrenheit", "grado Fahrenheit", "grados Fahrenheit"),
    "°c": ("degree Celsius", "degrees Celsius", "grado Celsius", "grados Celsius"),
    "°": ("degree", "degrees", "grado", "grados"),
    "%": ("percent", "percent", "por ciento", "por ciento"),
    "sq ft": ("square foot", "square feet", "pie cuadrado", "pies cuadrados"),
    "ft": ("foot", "feet", "pie", "pies"),
    "mi": ("mile", "miles", "milla", "millas"),
    "mph": ("mile an hour", "miles an hour", "milla por hora", "millas por hora"),
    "lb": ("pound", "pounds", "libra", "libras"),
    "gal": ("gallon", "gallons", "galón", "galones"),
    "hr": ("hour", "hours", "hora", "horas"),
    "h": ("hour", "hours", "hora", "horas"),
    "min": ("minute", "minutes", "minuto", "minutos"),
    "sec": ("second", "seconds", "segundo", "segundos"),
}
_PLURALS = {f"{unit}s": unit for unit in ("amp", "therm", "lb", "hr", "min", "sec", "gal", "kwh")}
_UNIT = "|".join(re.escape(unit) for unit in sorted([*_UNITS, *_PLURALS], key=len, reverse=True) if unit not in "WV")
_COUNTED = re.compile(rf"(?<![\w.])(-?(?:{_NUMBER}))[\s-]?((?i:{_UNIT})|W|V)(?![\w%°])(\.?)(?=(\s*\S?))")
_PER = re.compile(rf"\s?/\s?((?i:{_UNIT}))(?![\w])")
_ALONE = re.compile(r"(?<![\w-])(kwh|mwh|kw|mw|ccf|btu|°f|°c)(?![\w-])", re.IGNORECASE)
_PERIOD = re.compile(r"\s?/\s?(month|mo|day|year|yr|hour|week|mes|día|año|hora|semana)\b\.?", re.IGNORECASE)
_PERIODS = {"mo": "month", "yr": "year"}
_MONTH_NAMES = {
    name: month for month, names in enumerate(
        ("jan january", "feb february", "mar march", "apr april", "may", "jun june", "jul july", "aug august",
         "sep sept september", "oct october", "nov november", "dec december"), 1,
    ) for name in names.split()
}  # fmt: skip
_EN_DATE = re.compile(
    r"\b(Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?|"
    r"Nov(?:ember)?|Dec(?:ember)?)\b\.?\s+(\d{1,2})(?:st|nd|rd|th)?(?![\w:]|[.,]\d)(?:(,?\s+)((?:19|20)\d\d)(?![\w-]|[.,]\d))?"
    r"(?:(\s?[-–—]\s?)(\d{1,2})(?![\w:]|[.,]\d))?"
)
_MONTH_YEAR = re.compile(
    rf"\b({'|'.join(numbers.MONTHS['en'] + numbers.MONTHS['es'])})( de | )((?:19|20)\d\d)(?![\w:-]|[.,]\d)"
)
_ES_DATE = re.compile(
    rf"\b(\d{{1,2}})\s+de\s+({'|'.join(numbers.MONTHS['es'])})\b(?:\s+(?:de|del)\s+((?:19|20)\d\d)(?!\w))?",
    re.IGNORECASE,
)
_SHORT_MONTH = re.compile(r"\b(Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\.(?=\s)")
_ABBREVIATIONS = {
    "en": {
        "approx.": "approximately", "est.": "estimated", "vs.": "versus", "etc.": "and so on", "e.g.": "for example",
        "i.e.": "that is", "mr.": "Mister", "mrs.": "Missus", "ms.": "Ms", "jr.": "Junior", "sr.": "Senior",
        "inc.": "Incorporated", "co.": "Company", "corp.": "Corporation", "dept.": "department", "no.": "number",
        "acct.": "account", "acct": "account", "ref.": "reference", "ext.": "extension", "min.": "minutes",
        "hrs.": "hours", "hrs": "hours", "hr.": "hour", "mins": "minutes", "mon.": "Monday", "tue.": "Tuesday",
        "tues.": "Tuesday", "wed.": "Wednesday", "thu.": "Thursday", "thurs.": "Thursday", "fri.": "Friday",
        "msg": "message", "mt.": "Mount", "ft.": "Fort", "dr.": "Doctor", "w/": "with", "w/o": "without",
        "est": "E S T", "edt": "E D T", "appt": "appointment",
    },
    "es": {
        "sr.": "señor", "sra.": "señora", "dr.": "doctor", "dra.": "doctora", "ud.": "usted", "uds.": "ustedes",
        "etc.": "etcétera", "núm.": "número", "no.": "número", "tel.": "teléfono", "aprox.": "aproximadamente",
        "p. ej.": "por ejemplo", "av.": "avenida", "avda.": "avenida", "ej.": "ejemplo",
    },
}  # fmt: skip
_NEEDS_NAME = frozenset(("mt.", "ft.", "dr.", "mr.", "mrs.", "ms.", "sr.", "sra.", "dra."))
"""Only before a name; "no." only before a number."""
_SPELT = frozenset(
    "ETR ETA USA US TV AC DC PO SMS GPS FAQ ATM CPR EV LLC PUC FERC OMS AMI IVR URL PDF UPS CO AI ID GFCI QR II III IV "
    "EEUU SUV NE NW SE SW".split()
)
_KEPT = frozenset(("AM", "PM"))
_SIGNS = {
    "en": {"&": " and ", "+": " plus ", "=": " equals ", "@": " at ", "~": " about ", "%": " percent", "§": " section ",
           "©": "", "®": "", "™": "", "×": " times ", "÷": " divided by ", "±": " plus or minus "},
    "es": {"&": " y ", "+": " más ", "=": " igual a ", "@": " arroba ", "~": " cerca de ", "%": " por ciento",
           "§": " sección ", "×": " por ", "÷": " entre ", "±": " más o menos "},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Words:
    """One language's words."""

    language: str
    to: str
    and_: str
    minus: str
    dot: str
    slash: str
    at: str
    dash: str
    plus: str
    per: str
    or_: str
    fractions: tuple[str, str, str, str, str]

    def cents(self, one: bool) -> str:
        """The small unit of money."""
        return {"en": ("cents", "cent"), "es": ("centavos", "centavo")}[self.language][one]

    def units(self, text: str) -> str:
        """Units after a number in full ("5 kWh", "72°F"), and what is "per" something."""
        shift = 2 if self.language == "es" else 0

        def unit(name: str) -> tuple[str, ...]:
            key = name if name in _UNITS else name.lower()
            return _UNITS[_PLURALS.get(key, key)]

        def counted(found: re.Match[str]) -> str:
            one = found[1].lstrip("-") == "1"
            said = numbers.decimal(found[1], self.language, noun=True)
            following = found[4].strip()
            ends = found[3] if not following or following.isupper() else ""
            return f"{said} {unit(found[2])[shift + (not one)]}{ends}"

        text = _COUNTED.sub(counted, text)
        return _PER.sub(lambda found: f" {self.per} {unit(found[1])[shift]}", text)

    def dates(self, text: str) -> str:
        """Dates with the month's name: "March 5, 2026", "5 de marzo"."""
        language = self.language

        def spanish(found: re.Match[str]) -> str:
            month, of_year = numbers.MONTHS["es"].index(found[2].lower()) + 1, int(found[3]) if found[3] else None
            return numbers.date(month, int(found[1]), of_year, "es") if 1 <= int(found[1]) <= 31 else found[0]

        def english(found: re.Match[str]) -> str:
            if not 1 <= int(found[2]) <= 31:
                return found[0]
            said = numbers.date(
                _MONTH_NAMES[found[1].lower()], int(found[2]), int(found[4]) if found[4] else None, language
            )
            return said + (f" {self.to} {numbers.ordinal(int(found[6]), language)}" if found[6] else "")

        text = _ES_DATE.sub(spanish, text) if language == "es" else text
        text = _EN_DATE.sub(english, text)
        return _MONTH_YEAR.sub(lambda found: f"{found[1]}{found[2]}{numbers.year(int(found[3]), language)}", text)

    def expand(self, text: str) -> str:
        """Abbreviations and units without a number."""
        shift = 3 if self.language == "es" else 1
        text = _PERIOD.sub(lambda found: f" {self.per} {_PERIODS.get(found[1].lower(), found[1])}", text)
        text = _PER.sub(
            lambda found: f" {self.per} {_UNITS[_PLURALS.get(found[1].lower(), found[1].lower())][shift - 1]}", text
        )
        text = _ALONE.sub(lambda found: _UNITS[found[1].lower()][shift], text)
        text = _SHORT_MONTH.sub(lambda found: numbers.MONTHS[self.language][_MONTH_NAMES[found[1].lower()] - 1], text)
        return _abbreviation(self.language).sub(self._abbreviated, text)

    def _abbreviated(self, found: re.Match[str]) -> str:
        word = found[1].lower()
        rest = found.string[found.end() :]
        if word in _NEEDS_NAME and not re.match(r"\s+[A-ZÁÉÍÓÚÑ]", rest):
            return found[0]
        if word in ("est", "edt") and not found[1].isupper():
            return found[0]
        if word in ("no.", "est.") and not re.match(r"\s*[#\w]", rest):
            return found[0]
        if word == "no." and not re.match(
            r"\s*(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|\w+ty|cero|uno|dos|tres|"
            r"cuatro|cinco|seis|siete|ocho|nueve|diez)\b", rest,
        ):  # fmt: skip
            return found[0]
        end = "." if word.endswith(".") and re.match(r"\s+[A-ZÁÉÍÓÚÑ]|\s*$", rest) and word not in _NEEDS_NAME else ""
        return _ABBREVIATIONS[self.language][word] + end

    def capitals(self, word: str) -> str:
        """A word in capitals as a word ("STOP"), or as letters where it is none ("TV")."""
        if not word.isupper() or word in _KEPT:
            return word
        if word == "OK":
            return "okay"
        if word in _SPELT or not re.search(r"[AEIOUYÁÉÍÓÚÜ]", word):
            return " ".join(word)
        return word.lower()

    def symbols(self, text: str) -> str:
        """Signs between words in words; brackets, quotes and dashes as pauses."""
        for sign, word in _SIGNS[self.language].items():
            if sign in text:
                text = text.replace(sign, word)
        text = re.sub(r"[$€£]", " ", text)
        text = re.sub(r"#\s*(?=\w)", "número " if self.language == "es" else "number ", text)
        text = re.sub(r"\b(?:and/or|y/o)\b", self.or_, text)
        text = re.sub(r"(?<=[^\W_])\s?/\s?(?=[^\W_])", f" {self.or_} ", text)
        text = re.sub(r"\s*[–—]\s*|\s+-+\s+|\s*[([{|]+\s*", ", ", text)
        text = re.sub(r"\s*[)\]}]+(?=\s*[\w])", ", ", text)
        text = text.replace("…", ".").replace("¿", " ").replace("¡", " ")
        return re.sub(r"\n+", lambda _: ". ", text.strip())


@lru_cache(maxsize=2)
def _abbreviation(language: str) -> re.Pattern[str]:
    names = sorted(_ABBREVIATIONS[language], key=len, reverse=True)
    return re.compile(rf"(?<![\w.])({'|'.join(re.escape(name) for name in names)})(?!\w)", re.IGNORECASE)


_WORDS = {
    "en": Words(
        "en", "to", "and", "minus", "dot", "slash", "at", "dash", "plus", "per", "or",
        ("one half", "one third", "two thirds", "one quarter", "three quarters"),
    ),
    "es": Words(
        "es", "a", "y", "menos", "punto", "barra", "arroba", "guion", "más", "por", "o",
        ("un medio", "un tercio", "dos tercios", "un cuarto", "tres cuartos"),
    ),
}  # fmt: skip


def words_for(language: str) -> Words:
    """The words of "en" or "es"."""
    return _WORDS[language]
