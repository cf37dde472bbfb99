"""MultiSpeak's XML, read with care.

Answers and pushes are read here by local name, so that versions 3.0 and 4.1 and a vendor's own order of elements all
do. zeep's own reader is not used for answers: it is strict where vendors are not, drops `ETR-EXP` from a dateTime
field without a word, and takes seconds for a storm's list.

What the standard has no field for comes in `extensionsList` (extName, extValue), by these names, all optional:
`etrClass`, `etrSource` or `etrConfidence` (provenance), `showEtr`, `etrWithdrawn`, `crewStatus`, `cause`,
`plannedEnd`, `updatedAt`, `sequence`. A provenance sentence may also stand in `comments`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from lxml import etree  # type: ignore[import-untyped]  # publishes no types; only this module touches it

from integrations.oms import meanings
from integrations.oms.models import CrewStatus, EtrClass, Event, LocationEvent, Outage, OutageStatus

MAX_BYTES = 16 * 1024 * 1024
"""A storm's list of a quarter million affected meters is some 15 MB."""

Element = Any


class WireError(ValueError):
    """The bytes are not a message that we can read; its text is constant and holds nothing of them."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """A SOAP message.

    Attributes:
        body: the first element in the body.
        name: its local name.
        namespace: its namespace.
        header: MultiSpeakMsgHeader's attributes.
    """

    body: Element
    name: str
    namespace: str
    header: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def sent_at(self) -> str | None:
        """The header's TimeStamp."""
        return self.header.get("TimeStamp")


@dataclass(frozen=True, slots=True)
class ErrorObject:
    """One errorObject: why one object of a call failed."""

    object_id: str
    text: str


def local(element: Element) -> str:
    """An element's name without its namespace; empty for comments and processing instructions."""
    return str(etree.QName(element).localname) if isinstance(element.tag, str) else ""


def child(element: Element, name: str) -> Element | None:
    """The first child with a local name."""
    for item in element:
        if local(item) == name:
            return item
    return None


def text(element: Element, name: str) -> str | None:
    """The text of the first child with a local name, stripped; None when absent or empty."""
    found = child(element, name)
    value = (found.text or "").strip() if found is not None else ""
    return value or None


def descendants(element: Element, name: str) -> Iterator[Element]:
    """Every element below with a local name."""
    return (item for item in element.iter() if local(item) == name)


def parse(raw: bytes, limit: int = MAX_BYTES) -> Envelope:
    """Read a SOAP message that may be hostile.

    No entity is expanded, no DTD read, nothing fetched; a document that declares a type is refused.

    Raises:
        WireError: too large, not XML, not SOAP, or with a document type.
    """
    if len(raw) > limit:
        raise WireError("message too large")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(raw, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise WireError("not well-formed XML") from None
    if root is None or root.getroottree().docinfo.internalDTD is not None or root.getroottree().docinfo.doctype:
        raise WireError("document type not allowed")
    if local(root) != "Envelope":
        raise WireError("not a SOAP message")
    body = child(root, "Body")
    if body is None or len(body) == 0:
        raise WireError("empty SOAP body")
    header = child(root, "Header")
    attributes: dict[str, str] = {}
    if header is not None:
        for item in header:
            if local(item) == "MultiSpeakMsgHeader":
                attributes = {str(etree.QName(key).localname): str(value) for key, value in item.attrib.items()}
    message = body[0]
    return Envelope(message, local(message), str(etree.QName(message).namespace or ""), attributes)


def errors(element: Element) -> list[ErrorObject]:
    """Every errorObject, and every errorString that an object carries about itself.

    An errorObject without words is an error too; a self-reported empty errorString is not.
    """
    found = [
        ErrorObject(item.get("objectID", ""), (item.get("errorString") or item.text or "").strip() or "unspecified")
        for item in descendants(element, "errorObject")
    ]
    for item in element.iter():
        if local(item) != "errorObject" and (item.get("errorString") or "").strip():
            found.append(ErrorObject(item.get("objectID", ""), item.get("errorString").strip()))
    return found


def extensions(element: Element) -> dict[str, str]:
    """The object's own extensionsList, by lower-cased name."""
    holder = child(element, "extensionsList")
    values: dict[str, str] = {}
    if holder is not None:
        for item in holder:
            name, value = text(item, "extName"), text(item, "extValue")
            if name and value:
                values[name.lower()] = value
    return values


def boolean(value: str | None) -> bool | None:
    """An xsd:boolean; None when it is none."""
    lowered = (value or "").strip().lower()
    if lowered in ("true", "1", "yes"):
        return True
    return False if lowered in ("false", "0", "no") else None


def number(value: str | None) -> int | None:
    """A whole number that is not negative; None when it is none."""
    try:
        parsed = int(float(value)) if value else None
    except (ValueError, OverflowError):
        return None
    return parsed if parsed is not None and 0 <= parsed < 10**12 else None


def _crew(element: Element, extra: dict[str, str]) -> CrewStatus:
    """The crew by its own words, else by MultiSpeak's times; a dispatch time outlives the crew, so a list decides."""
    stated = meanings.crew_of(extra.get("crewstatus")) or meanings.crew_of(text(element, "crewStatus"))
    if stated is not None:
        return stated
    crews = child(element, "crewsDispatched")
    if crews is not None and len(crews) == 0:
        return CrewStatus.NONE
    if text(element, "firstArrival"):
        return CrewStatus.ON_SITE
    if text(element, "firstETA"):
        return CrewStatus.EN_ROUTE
    if text(element, "firstDispatch") or crews is not None:
        return CrewStatus.ASSIGNED
    return CrewStatus.NONE


def _provenance(element: Element, extra: dict[str, str]) -> EtrClass | None:
    for name in ("etrclass", "etrsource", "etrconfidence"):
        found = meanings.etr_class_of(extra.get(name))
        if found is not None:
            return found
    return meanings.etr_class_of(text(element, "comments"))


def _shown(extra: dict[str, str]) -> bool:
    return boolean(extra.get("showetr")) is not False


def read_outage(element: Element, now: datetime, sent_at: str | None, zone: ZoneInfo) -> Event | None:
    """An outageEvent element as an event; None when it has no id.

    Args:
        element: outageEvent, 3.0 or 4.1.
        now: the present, to tell times that have passed, and the event's time when it has none.
        sent_at: the message's time stamp, the event's time when it has none of its own.
        zone: for times without an offset.
    """
    outage_id = (element.get("objectID") or text(element, "outageEventID") or "").strip()
    if not outage_id:
        return None
    extra = extensions(element)
    at = meanings.moment_of(extra.get("updatedat"), zone) or meanings.moment_of(sent_at, zone) or now
    sequence = number(extra.get("sequence"))
    if (element.get("verb") or "").lower() == "delete":
        return Event("gone", outage_id, at, sequence)
    crew = _crew(element, extra)
    etr, etr_class = meanings.settle_etr(
        text(element, "ETOR"), _provenance(element, extra), crew, _shown(extra), now, zone
    )
    status = meanings.status_of(text(element, "outageStatus"))
    if text(element, "completed") and status.is_out and meanings.moment_of(text(element, "completed"), zone):
        status = OutageStatus.RESTORED
    planned = boolean(text(element, "isPlanned")) is True or status is OutageStatus.SCHEDULED
    reasons = child(element, "outageReasonCodeList")
    reason = child(reasons, "OutageCause") if reasons is not None else None
    cause = meanings.cause_of(
        extra.get("cause"),
        text(reason, "description") if reason is not None else None,
        text(element, "actualFault"),
        text(element, "faultType"),
        text(element, "outageDescription"),
    )
    planned_end = meanings.moment_of(extra.get("plannedend"), zone) or (etr if planned else None)
    outage = Outage(
        outage_id=outage_id,
        status=status,
        started_at=meanings.moment_of(text(element, "startTime"), zone)
        or meanings.moment_of(text(element, "outageDefined"), zone),
        etr=etr,
        etr_class=etr_class,
        etr_withdrawn=etr is None and boolean(extra.get("etrwithdrawn")) is True,
        cause=cause,
        crew=crew,
        # As it is: vendors disagree on whether those in customersRestored are still counted here.
        customers_out=number(text(element, "customersAffected")),
        planned=planned,
        planned_end=planned_end if planned else None,
        updated_at=at,
    )
    return Event("outage", outage_id, at, sequence, outage=outage)


def read_affected(element: Element, now: datetime, sent_at: str | None, zone: ZoneInfo) -> Event | None:
    """A customersAffectedByOutage element as an event; None when it names no outage."""
    outage_id = (text(element, "outageEventID") or element.get("objectID") or "").strip()
    if not outage_id:
        return None
    extra = extensions(element)
    points: dict[str, None] = {}
    meters: dict[str, None] = {}
    for holder in descendants(element, "affectedMeters"):
        for item in holder:
            point = text(item, "servLoc") or text(item, "serviceLocationID")
            meter = text(item, "meterNo") or text(item, "meterID") or item.get("meterNo")
            if local(item) in ("meterID", "meterNo"):
                meter = meter or (item.text or "").strip()
            if point:
                points[point] = None
            elif meter:
                meters[meter] = None
    at = meanings.moment_of(extra.get("updatedat"), zone) or meanings.moment_of(sent_at, zone) or now
    return Event(
        "affected", outage_id, at, number(extra.get("sequence")), service_points=tuple(points), meters=tuple(meters)
    )


def read_location_event(element: Element, now: datetime, zone: ZoneInfo) -> LocationEvent:
    """An outageEventStatus element.

    Raises:
        WireError: it says neither whether the customer was found nor a status, so nothing can be concluded.
    """
    extra = extensions(element)
    crew = meanings.crew_of(extra.get("crewstatus"))
    if crew is None:
        crew = CrewStatus.NONE
        if boolean(text(element, "crewOnSite")):
            crew = CrewStatus.ON_SITE
        elif boolean(text(element, "crewDispatched")):
            crew = CrewStatus.ASSIGNED
    etr, etr_class = meanings.settle_etr(
        text(element, "ETOR"), _provenance(element, extra), crew, _shown(extra), now, zone
    )
    raw_status = text(element, "outageStatus")
    found = boolean(text(element, "customerFound"))
    if found is None and raw_status is None:
        raise WireError("incomplete event status")
    status = meanings.status_of(raw_status)
    if found is not False and raw_status is None:
        # The event status has no word for "no outage": a customer who was found and has no status has none.
        status = OutageStatus.NO_OUTAGE
    outage_id = (element.get("objectID") or "").strip()
    withdrawn = etr is None and boolean(extra.get("etrwithdrawn")) is True
    return LocationEvent(found is not False, status, outage_id, crew, etr, etr_class, withdrawn)
