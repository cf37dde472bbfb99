"""What an OMS's words mean: statuses, crews, causes, restoration times.

The sentences and codes are those that real feeds carry (PG&E 2021 and 2025, LG&E/KU's KUBRA map, BC Hydro, CIM
61968-3's CrewStatusKind). Where a feed is vague, the weaker claim is taken: a customer should not hear more than the
utility knows.
"""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from integrations.oms.models import Cause, CrewStatus, EtrClass, OutageStatus

UTILITY_ZONE = ZoneInfo("America/New_York")

_STATUSES = {
    "assumed": OutageStatus.ASSUMED,
    "predicted": OutageStatus.ASSUMED,
    "confirmed": OutageStatus.CONFIRMED,
    "partiallyrestored": OutageStatus.CONFIRMED,
    "restored": OutageStatus.RESTORED,
    "closed": OutageStatus.RESTORED,
    "scheduled": OutageStatus.SCHEDULED,
    "stillout": OutageStatus.STILL_OUT,
    "nonpay": OutageStatus.NON_PAY,
    "nooutage": OutageStatus.NO_OUTAGE,
}

# The first that matches wins, so a statement that takes another back stands before it.
_CREWS = (
    (CrewStatus.SUSPENDED, r"suspend|unable to access|no access|stood down|stopped for"),
    (CrewStatus.NONE, r"^\s*none\s*$|no crew|not (?:yet )?assigned|unassigned|await|pending"),
    (
        CrewStatus.ON_SITE,
        r"on[\s_-]?site|on location|at the (?:outage )?location|on scene|arrived|working to restore|field ?complete",
    ),
    (CrewStatus.EN_ROUTE, r"en[\s_-]?route|on (?:their|the|its) way|sending|travel"),
    (CrewStatus.ASSIGNED, r"assign|dispatch"),
)

_ETR_CLASSES = (
    (EtrClass.EXPIRED, r"etr-exp|has expired|have expired|has passed"),
    (EtrClass.ASSESSING, r"re-?evaluat|re-?assess|not currently available|will provide|aware of outages"),
    (EtrClass.AREA, r"all customers without power in this area|all (?:affected )?customers|area[- ]wide"),
    (EtrClass.CREW, r"evaluation of the situation by our|by our (?:technicians|crew)|crew (?:estimate|has)"),
    (EtrClass.STATISTICAL, r"time it usually takes|usually takes|historical|typical|average|statistic"),
    (EtrClass.ASSESSING, r"assess|investigat|determin"),
)

_CAUSES = (
    (Cause.PLANNED, r"planned|scheduled|maintenance"),
    (Cause.SAFETY, r"public safety|psps|safety shut|emergency agenc"),
    (Cause.LIGHTNING, r"lightning|lighting ?strike"),
    (Cause.VEHICLE, r"vehicle|\bcar\b|truck|motor|hit pole|broken pole.*accident|accident"),
    (Cause.ANIMAL, r"animal|squirrel|bird|raccoon|snake|wildlife|\bosprey|metallic balloon"),
    (Cause.DIG_IN, r"\bdig|dug in|excavat|contractor"),
    (Cause.FIRE, r"\bfire\b|wildfire"),
    (Cause.TREE, r"\btree|\blimb|branch|vegetation"),
    (Cause.WEATHER, r"weather|storm|\bwind|\bice|snow|flood|hurricane|tornado|nor'?easter"),
    (Cause.DEMAND, r"overload|demand|load shed"),
    (Cause.EQUIPMENT, r"equipment|transformer|wire|line down|pole|cable|conductor|fuse|insulator|cross ?arm|breaker"),
)

_NO_TIME = {"", "null", "none", "n/a", "etr-null", "etr-exp", "nil", "0001-01-01t00:00:00"}


def _squeeze(text: str) -> str:
    return re.sub(r"[\s_-]", "", text).lower()


def status_of(text: str | None) -> OutageStatus:
    """MultiSpeak's and CIM's status words; anything else is UNKNOWN."""
    return _STATUSES.get(_squeeze(text or ""), OutageStatus.UNKNOWN)


def crew_of(text: str | None) -> CrewStatus | None:
    """A crew sentence or code; None when it says nothing that we know."""
    if not text:
        return None
    lowered = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).lower()
    for crew, pattern in _CREWS:
        if re.search(pattern, lowered):
            return crew
    return None


def cause_of(*texts: str | None) -> Cause | None:
    """The first text that names a cause we tell customers; None while it is under investigation or not for them."""
    for text in texts:
        if text:
            lowered = text.lower().replace("_", " ").replace("-", " ")
            for cause, pattern in _CAUSES:
                if re.search(pattern, lowered):
                    return cause
    return None


def moment_of(text: str | None, zone: ZoneInfo = UTILITY_ZONE) -> datetime | None:
    """An xsd:dateTime, or what OMSes put in its place; without an offset it is the utility's wall clock.

    Returns:
        An aware time, or None for null, ETR-NULL, ETR-EXP, year 1 (.NET's "no date") and what is no date at all.
    """
    value = (text or "").strip()
    if value.lower() in _NO_TIME or value.startswith("0001-"):
        return None
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=zone)


def etr_class_of(text: str | None) -> EtrClass | None:
    """A class by our own name, or the provenance sentence of a KUBRA map; None when it says nothing."""
    if not text:
        return None
    lowered = text.strip().lower()
    try:
        return EtrClass(lowered)
    except ValueError:
        pass
    for etr_class, pattern in _ETR_CLASSES:
        if re.search(pattern, lowered):
            return etr_class
    return None


def settle_etr(
    raw: str | None,
    provenance: EtrClass | None,
    crew: CrewStatus,
    show: bool,
    now: datetime,
    zone: ZoneInfo = UTILITY_ZONE,
) -> tuple[datetime | None, EtrClass]:
    """A restoration time and its class that agree with each other.

    Args:
        raw: the OMS's text for the time.
        provenance: what it says about where the time comes from.
        crew: used only when there is no time: somebody who is there is assessing.
        show: False when the OMS says that customers are not to be told.
        now: to tell a time that has passed.
        zone: for times without an offset.
    """
    if not show:
        return None, EtrClass.ASSESSING
    etr = moment_of(raw, zone)
    if etr is None:
        if "etr-exp" in (raw or "").lower() or provenance is EtrClass.EXPIRED:
            return None, EtrClass.EXPIRED
        if provenance not in (None, EtrClass.NONE) or crew in (CrewStatus.EN_ROUTE, CrewStatus.ON_SITE):
            return None, EtrClass.ASSESSING
        return None, EtrClass.NONE
    if etr <= now:
        return etr, EtrClass.EXPIRED
    if provenance in (EtrClass.AREA, EtrClass.CREW, EtrClass.STATISTICAL):
        return etr, provenance
    # A time of unknown origin is worded as the weakest that has a time.
    return etr, EtrClass.STATISTICAL
