"""The parts of MultiSpeak messages that we send."""

from __future__ import annotations

import re
from typing import Any
from zoneinfo import ZoneInfo

from lxml import etree  # type: ignore[import-untyped]  # publishes no types

from integrations.oms.meanings import UTILITY_ZONE
from integrations.oms.models import TroubleReport

NAMESPACE = "http://www.multispeak.org/Version_3.0"

PROBLEM_CODES = {
    "outage": "OUTAGE",
    "partial": "PARTIAL_POWER",
    "still_out": "STILL_OUT",
    "gas_leak": "GAS_LEAK",
    "downed_wire": "DOWNED_WIRE",
    "carbon_monoxide": "CARBON_MONOXIDE",
    "fire_shock": "FIRE_SHOCK",
    "medical_equipment": "MEDICAL_EQUIPMENT",
}
"""problemCode is each utility's own list; these are ours until a utility gives its list."""

_NOTE_LENGTH = 500
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_DUPLICATE = re.compile(r"duplicate|already (?:exists|received|processed|recorded|been)", re.IGNORECASE)


def header(namespace: str, attributes: dict[str, str]) -> list[Any]:
    """MultiSpeakMsgHeader, credentials as attributes as MultiSpeak 3 has them.

    Built by hand: WSDLs disagree on whether the header is declared, and zeep drops attributes that they left out.

    Args:
        namespace: of the server's own messages.
        attributes: as the standard names them.
    """
    return [etree.Element(f"{{{namespace}}}MultiSpeakMsgHeader", attrib=attributes, nsmap={None: namespace})]


def clean(text: str, longest: int = _NOTE_LENGTH) -> str:
    """A customer's text as XML can carry it: without control characters, of a sensible length."""
    return _NOT_XML.sub(" ", text)[:longest].strip()


def location(
    service_point_id: str = "", meter_id: str = "", account_number: str = "", phone: str = "", address: str = ""
) -> dict[str, str]:
    """An outageLocation; what is empty is left out. A North American number is split into areaCode and phone.

    The type has no element for an address, so one goes into the comments that every MultiSpeak object has.
    """
    values = {"servLoc": service_point_id, "meterNo": meter_id, "accountNumber": account_number}
    digits = re.sub(r"\D", "", phone)
    if phone.startswith("+1") and len(digits) == 11:
        values |= {"areaCode": digits[1:4], "phone": digits[4:]}
    elif phone:
        values["phone"] = phone
    cleaned = {name: clean(value, 60) for name, value in values.items()} | {"comments": clean(address, 200)}
    return {name: value for name, value in cleaned.items() if value}


def customer_call(report: TroubleReport, object_id: str, zone: ZoneInfo = UTILITY_ZONE) -> dict[str, Any]:
    """A customerCall. The address goes into the description only when no service point is known."""
    words = [report.note]
    if report.address and not report.service_point_id:
        words.insert(0, f"At: {report.address}.")
    resolved = "Meter" if report.service_point_id else "Address" if report.address else "Unresolved"
    return {
        "objectID": object_id,
        "verb": "New",
        "custID": clean(report.account_number, 60) or None,
        "eventTime": report.occurred_at.astimezone(zone),
        "description": clean(" ".join(word for word in words if word)) or None,
        "problemCode": PROBLEM_CODES[report.kind],
        "callType": "IVR",
        "takenBy": "Porchlight",
        "callPriority": report.priority,
        "location": location(report.service_point_id, "", report.account_number, report.phone, report.address),
        "resolvedLevel": resolved,
    }


def means_duplicate(text: str) -> bool:
    """Whether a refusal says that the OMS has the call already, which is what we wanted."""
    return bool(_DUPLICATE.search(text))
