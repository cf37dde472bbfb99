"""MultiSpeak nouns of what the simulated OMS knows."""

from __future__ import annotations

from .clock import iso
from .outages import SimOutage
from .soap import leaf, node
from .territory import Level, Territory

_DEVICE_TYPES = {
    Level.SERVICE: "Service",
    Level.TRANSFORMER: "Transformer",
    Level.SECTION: "Fuse",
    Level.FEEDER: "Breaker",
    Level.SUBSTATION: "Substation",
}
PROVENANCE = {
    "NONE": "",
    "ASSESSING": "We are assessing the damage. A restoration time will follow as soon as it is known.",
    "STATISTICAL": "This estimate is based on the time that repairs of this kind usually take.",
    "AREA": "This estimate applies to all customers without power in this area.",
    "CREW": "This estimate comes from the crew that is working on the outage.",
    "EXPIRED": "The previous estimate has passed and the situation is being assessed again.",
}
"""The sentence that goes into ``comments``, one for each class."""


def _items(items: dict[str, str]) -> str:
    return node(
        "extensionsList",
        *(node("extensionsItem", leaf("extName", name), leaf("extValue", value)) for name, value in items.items()),
    )


def extensions(outage: SimOutage) -> str:
    """The items that MultiSpeak 3.0AC has no element for (see the package's docstring)."""
    return _items(
        {
            "etrClass": outage.etr_class,
            "etrWithdrawn": "true" if outage.etr_withdrawn else "false",
            "showEtr": "true" if outage.show_etr else "false",
            "crewStatus": outage.crew,
            "updatedAt": iso(outage.updated_at) or "",
            "sequence": str(outage.sequence),
        }
    )


def outage_event(territory: Territory, outage: SimOutage, verb: str = "Change", name: str = "outageEvent") -> str:
    """An outageEvent, with the network's names in it as a real OMS sends them."""
    device, feeder, substation = territory.labels(outage.device)
    members = outage.members
    first = int(members[0]) if len(members) else int(territory.rows(outage.device)[0])
    town = territory.towns[int(territory.town[first])]
    place = territory.streets[int(territory.street[first])]
    dispatched = outage.crew in ("ASSIGNED", "EN_ROUTE", "ON_SITE")
    reason = ""
    if outage.cause:
        codes = node("outageReportingCodeList", leaf("outageReportingCode", outage.cause_code or "Other"))
        reason = node("outageReasonCodeList", node("OutageCause", leaf("description", outage.cause), codes))
    return node(
        name,
        leaf("comments", PROVENANCE[outage.etr_class] or None),
        extensions(outage),
        leaf("area", town),
        leaf("problemLocation", place),
        leaf("deviceID", device),
        leaf("deviceType", _DEVICE_TYPES[outage.device.level]),
        leaf("substationCode", substation),
        leaf("feeder", feeder),
        leaf("outageDescription", outage.cause or None),
        leaf("outageStatus", outage.status),
        leaf("priority", int(outage.device.level)),
        leaf("startTime", outage.started_at),
        leaf("outageDefined", outage.started_at),
        leaf("firstDispatch", outage.first_dispatch),
        leaf("firstArrival", outage.first_arrival),
        leaf("ETOR", outage.etr),
        leaf("completed", outage.completed),
        node("crewsDispatched", leaf("crewID", f"T{int(outage.id) % 40 + 1:02d}")) if dispatched else "",
        leaf("isPlanned", outage.planned),
        leaf("customersAffected", len(members)),
        leaf("priorityCustomersCount", int(territory.life_support[members].sum())),
        leaf("customersRestored", outage.restored_count),
        reason,
        objectID=outage.id,
        verb=verb,
        replaceID=outage.replaces or None,
        utility="Juniper Bay Energy",
    )


def customers_affected(name: str, territory: Territory, outage: SimOutage) -> str:
    """A customersAffectedByOutage with each meter and service location that is out now."""
    meters = "".join(
        f"<affectedMeter><meterNo>JB{40_000_000 + row:08d}</meterNo><servLoc>SP{row + 1:06d}</servLoc></affectedMeter>"
        for row in outage.members.tolist()
    )
    when = _items({"updatedAt": iso(outage.updated_at) or "", "sequence": str(outage.sequence)})
    return node(name, when, leaf("outageEventID", outage.id), node("affectedMeters", meters), objectID=outage.id)
