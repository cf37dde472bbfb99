"""The fixed wording of emergencies, from ``data/safety/scripts.yml``: checked when loaded, never composed.

Every kind has a text for every channel in both languages, so an emergency is answered without a model, a back-end or
a default that nobody read.
"""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from bot.safety.models import Kind, Language

SCRIPTS_FILE = Path(__file__).resolve().parents[2] / "data" / "safety" / "scripts.yml"

Surface = Literal["sms", "web", "voice"]

#: Which wording a channel takes. WhatsApp shows long texts as web chat does; a terminal too.
SURFACES: dict[str, Surface] = {"sms": "sms", "web": "web", "voice": "voice", "whatsapp": "web", "terminal": "web"}

# GSM 03.38: the default alphabet, and its extension, whose characters take two places.
_GSM7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM7_TWO = frozenset("^{}\\[~]|€\f")
_ONE_SEGMENT, _PER_SEGMENT, _MOST_SEGMENTS = 160, 153, 2

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_UNSPEAKABLE = re.compile(r"[0-9/&%#*_<>\[\]|]|https?|\b[A-Z]{3,}\b")


class ScriptsError(ValueError):
    """The scripts cannot be used; the message says where and why."""


def _known_placeholders(text: str) -> str:
    unknown = set(_PLACEHOLDER.findall(text)) - {"line", "utility"}
    if unknown:
        raise ValueError(f"unknown placeholder {sorted(unknown)}; there are {{line}} and {{utility}}")
    if "{line}" not in text:
        raise ValueError("the emergency line is missing; write {line} where it belongs")
    return text


def _speakable(text: str) -> str:
    found = _UNSPEAKABLE.search(_PLACEHOLDER.sub("", text))
    if found:
        raise ValueError(f"{found.group()!r} cannot be spoken; write words")
    return text


Text = Annotated[str, Field(min_length=40, max_length=900), AfterValidator(_known_placeholders)]
Spoken = Annotated[Text, AfterValidator(_speakable)]


class Wording(BaseModel):
    """One kind in one language."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sms: Text
    web: Text
    voice: Spoken


class Script(BaseModel):
    """One kind of emergency."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str = Field(min_length=20, description="Where the advice comes from")
    en: Wording
    es: Wording


class Scripts(BaseModel):
    """The file as a whole."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: int = Field(ge=1)
    as_of: date
    utility: str = Field(min_length=2, max_length=40)
    emergency_line: str = Field(pattern=r"^\+1[2-9][0-9]{9}$", description="E.164, North American")
    scripts: dict[Kind, Script]

    @model_validator(mode="after")
    def _complete(self) -> Scripts:
        missing = sorted(set(Kind.__args__) - set(self.scripts))  # type: ignore[attr-defined]  # a Literal's members
        if missing:
            raise ValueError(f"no script for {', '.join(missing)}")
        for kind in self.scripts:
            for language in ("en", "es"):
                segments = sms_segments(self.text(kind, "sms", language))
                if not 1 <= segments <= _MOST_SEGMENTS:
                    raise ValueError(
                        f"scripts.{kind}.{language}.sms takes {segments} segments; at most {_MOST_SEGMENTS}"
                    )
        return self

    def text(self, kind: Kind, surface: Surface, language: Language) -> str:
        """A script with the utility's name and line filled in."""
        wording: Wording = getattr(self.scripts[kind], language)
        raw: str = getattr(wording, surface)
        digits = self.emergency_line.removeprefix("+1")
        groups = digits[:3], digits[3:6], digits[6:]
        line = ", ".join(" ".join(group) for group in groups) if surface == "voice" else "-".join(groups)
        return raw.replace("{line}", line).replace("{utility}", self.utility)


def sms_segments(text: str) -> int:
    """Segments that a text takes as GSM-7 (3GPP TS 23.038): 160 septets, or 153 each in more than one.

    Raises:
        ValueError: if a character is not in that alphabet, naming it.
    """
    foreign = sorted(set(text) - _GSM7 - _GSM7_TWO)
    if foreign:
        raise ValueError(
            f"{''.join(foreign)!r} is not in the SMS alphabet (GSM-7); in Spanish leave out the accents of á í ó ú"
        )
    septets = len(text) + sum(char in _GSM7_TWO for char in text)
    return 1 if septets <= _ONE_SEGMENT else -(-septets // _PER_SEGMENT)


@lru_cache(maxsize=4)
def load_scripts(path: Path = SCRIPTS_FILE) -> Scripts:
    """Read and check the scripts.

    Raises:
        ScriptsError: if the file is missing or wrong; the message names each place.
    """
    try:
        return Scripts.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError) as error:
        raise ScriptsError(f"{path.name}: {error}") from None
    except ValidationError as error:
        lines = [f"{'.'.join(str(part) for part in item['loc']) or 'file'}: {item['msg']}" for item in error.errors()]
        raise ScriptsError(f"{path.name}: " + "; ".join(lines)) from None


def script(kind: Kind, channel: str, language: str = "en") -> str:
    """The words for an emergency.

    Args:
        kind: what the guard found.
        channel: a channel of `Turn`; an unknown one gets the text of web chat.
        language: "es" for Spanish, anything else for English.

    Returns:
        The text, ready to send or to speak.
    """
    return load_scripts().text(kind, SURFACES.get(channel, "web"), "es" if language == "es" else "en")
