"""The words of notices, in one text each. A restoration time is worded by where it comes from."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.outreach.decide import Notice
from integrations.base.utility import Utility
from integrations.oms.models import EtrClass

_DAYS_ES = ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo")

_TEXTS: dict[str, dict[str, str]] = {
    "first": {
        "en": "{utility}: {etr}{place}. We will text you if that changes. Reply STOP to stop.",
        "es": "{utility}: {etr}{place}. Le avisaremos si cambia. Responda ALTO para no recibir más.",
    },
    "changed": {
        "en": "{utility}: the time has changed. {etr}{place}.",
        "es": "{utility}: la hora cambió. {etr}{place}.",
    },
    "missed": {
        "en": "{utility}: we missed the time we gave you ({missed}){place}. {next}",
        "es": "{utility}: no cumplimos la hora que le dimos ({missed}){place}. {next}",
    },
    "restored": {
        "en": "{utility}: our records show that power is back{place}. Is it back on? Reply ON or OFF.",
        "es": "{utility}: según nuestros datos la luz ya volvió{place}. ¿Volvió? Responda ON si sí, OFF si no.",
    },
}
_ETR: dict[EtrClass, dict[str, str]] = {
    EtrClass.CREW: {
        "en": "Our crew expects power back by {time}",
        "es": "La cuadrilla espera que la luz vuelva para las {time}",
    },
    EtrClass.AREA: {
        "en": "We expect power back for nearly everyone in your area by {time}; many will have it sooner",
        "es": "Esperamos que la luz vuelva para casi todos en su zona para las {time}; a muchos les volverá antes",
    },
    EtrClass.STATISTICAL: {
        "en": "Outages like this one usually end by about {time}; nobody at the site has confirmed that yet",
        "es": "Un apagón así suele terminar hacia las {time}; nadie en el lugar lo ha confirmado todavía",
    },
}
_NEXT: dict[str, dict[str, str]] = {
    "with": {"en": "{etr}.", "es": "{etr}."},
    "without": {
        "en": "We are still working and have no new time yet. We will text you when we do.",
        "es": "Seguimos trabajando y todavía no tenemos otra hora. Le avisaremos cuando la haya.",
    },
}


def text_of(notice: Notice, facts: Utility, label: str, language: str, now: datetime) -> str:
    """The text of a notice.

    Args:
        notice: not of kind "known".
        facts: the utility's name and time zone.
        label: what the customer calls the place; "" when there is only one.
        language: "en" or "es".
        now: the moment, aware.

    Raises:
        KeyError: the notice is not to be told.
    """
    tongue = "es" if language == "es" else "en"
    etr = ""
    if notice.etr is not None:
        wording = _ETR.get(notice.etr_class, _ETR[EtrClass.STATISTICAL])[tongue]
        etr = wording.format(time=spoken_time(_to_the_quarter(notice.etr), now, facts.timezone, tongue))
    after = _NEXT["with" if etr else "without"][tongue].format(etr=etr)
    missed = spoken_time(_to_the_quarter(notice.missed), now, facts.timezone, tongue) if notice.missed else ""
    place = f" ({label})" if label else ""
    return _TEXTS[notice.kind][tongue].format(utility=facts.utility, etr=etr, missed=missed, next=after, place=place)


def spoken_time(moment: datetime, now: datetime, zone: str, language: str = "en") -> str:
    """5:45 PM; with its day when that is not today."""
    there, here = moment.astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone))
    minutes = f":{there.minute:02d}" if there.minute else ""
    clock = f"{there.hour % 12 or 12}{minutes} {'PM' if there.hour >= 12 else 'AM'}"
    days = (there.date() - here.date()).days
    if days == 0:
        return clock
    if language == "es":
        day = {1: "de mañana", -1: "de ayer"}.get(days, f"del {_DAYS_ES[there.weekday()]} {there.day}")
    else:
        day = {1: "tomorrow", -1: "yesterday"}.get(days, f"on {there:%A}, {there:%B} {there.day}")
    return f"{clock} {day}"


def _to_the_quarter(moment: datetime) -> datetime:
    """Rounded up: nobody knows it to the minute."""
    return moment + timedelta(minutes=-moment.minute % 15, seconds=-moment.second, microseconds=-moment.microsecond)
