"""Keywords of text messages, which mean what they mean before any model reads them.

STOP and its kin: 47 CFR 64.1200(a)(10) names stop, quit, end, revoke, opt out, cancel and unsubscribe; carriers add
STOPALL; HELP and INFO are the carriers' too. OUT, STAT, ON and OFF are those that utilities' customers know (SMECO,
FirstEnergy, LG&E-KU). A keyword is the whole message: "stop by my house" stops nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["stop", "start", "help", "command"]


@dataclass(frozen=True, slots=True)
class Keyword:
    """What a whole message meant.

    Attributes:
        kind: consent, help, or a command for the dialogue.
        command: trusted, for kind "command".
        language: that the word belongs to.
    """

    kind: Kind
    command: str = ""
    language: str = "en"


_STOP = Keyword("stop")
_ALTO = Keyword("stop", language="es")
_START = Keyword("start")
_HELP = Keyword("help")


def _does(command: str) -> Keyword:
    return Keyword("command", command)


_WORDS: dict[str, Keyword] = {
    **dict.fromkeys(("stop", "stopall", "stop all", "unsubscribe", "cancel", "end", "quit", "revoke"), _STOP),
    **dict.fromkeys(("optout", "opt out"), _STOP),
    **dict.fromkeys(("alto", "pare", "parar"), _ALTO),
    **dict.fromkeys(("start", "unstop"), _START),
    **dict.fromkeys(("help", "info"), _HELP),
    "ayuda": Keyword("help", language="es"),
    "out": _does("/report_outage"),
    **dict.fromkeys(("stat", "status"), _does("/outage_status")),
    "on": _does("/outage_power_on"),
    "off": _does("/outage_power_off"),
    # "Out cancel" takes a report back; without it the CANCEL in it would stop all texts.
    **dict.fromkeys(("out cancel", "cancel out", "outcancel"), _does("/outage_power_on")),
    **dict.fromkeys(("out stat", "out status", "stat out", "status out"), _does("/outage_status")),
}
_START_WHEN_STOPPED = frozenset({"yes", "si", "sí"})


def keyword_of(text: str, stopped: bool = False) -> Keyword | None:
    """The keyword that a whole message is, in any case and with any punctuation around; None when it is none.

    Args:
        text: normalised.
        stopped: whether this number has stopped our texts; then YES means START.
    """
    plain = " ".join(re.sub(r"[^\w\s-]", " ", text.casefold()).replace("-", " ").split())
    if stopped and plain in _START_WHEN_STOPPED:
        return _START
    return _WORDS.get(plain)
