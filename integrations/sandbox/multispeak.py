"""The simulated OMS's MultiSpeak server: one address, SOAP in, SOAP out."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from xml.etree.ElementTree import Element

from . import soap
from .clock import iso
from .lookup import Directory
from .nouns import customers_affected, extensions, outage_event
from .outages import Outages, SimOutage
from .soap import leaf, node, text
from .territory import ServicePoint, Territory
from .tickets import Call, Tickets
from .wsdl import OPERATIONS

BLOCK = 500
"""Outage events in one answer; more are asked for with lastReceived (ObjectsRemaining says that there are more)."""


ADDRESS_SCORE = 92.0
"""How well an address in words must match for a call to be put to a premise."""


class MultiSpeakServer:
    """Answers the calls of OPERATIONS."""

    def __init__(
        self, territory: Territory, directory: Directory, outages: Outages, tickets: Tickets, user: str, password: str
    ) -> None:
        self.territory, self.directory = territory, directory
        self.outages, self.tickets = outages, tickets
        self.user, self.password = user, password
        self._calls: dict[str, Callable[[soap.Request], str]] = {
            "PingURL": lambda request: self._errors(request, []),
            "GetMethods": self._methods,
            "GetOutageStatusByLocation": self._location_status,
            "GetOutageEventStatusByOutageLocation": self._event_status,
            "GetAllActiveOutageEvents": self._active,
            "GetOutageEvent": self._event,
            "GetCustomersAffectedByOutage": self._affected,
            "GetCallsReceivedOnOutage": self._calls_received,
            "CHEventNotification": self._trouble_calls,
        }

    def handle(self, raw: bytes) -> tuple[int, str]:
        """Answer one request.

        Returns:
            The HTTP status (200, or 500 with a SOAP fault as SOAP 1.1 section 6.2 has it) and the envelope.
        """
        try:
            request = soap.parse(raw)
        except soap.BadEnvelope as error:
            return 500, soap.fault("Client", str(error))
        answer = self._calls.get(request.operation)
        if answer is None:
            return 500, soap.fault("Client", "no such method; see GetMethods")
        if (request.header.get("UserID", ""), request.header.get("Pwd", "")) != (self.user, self.password):
            return self._refused(request, "the user or the password is not valid")
        return 200, answer(request)

    def _refused(self, request: soap.Request, why: str) -> tuple[int, str]:
        _, result, kind = OPERATIONS[request.operation]
        if kind == "ArrayOfErrorObject":
            return 200, self._errors(request, [("", why, request.operation)])
        if kind in ("outageEventStatus", "outageEvent", "customersAffectedByOutage"):
            return 200, soap.respond(request.operation, node(result, errorString=why))
        return 500, soap.fault("Client", why)

    def _errors(self, request: soap.Request, errors: list[tuple[str, str, str]]) -> str:
        return soap.respond(request.operation, soap.error_array(OPERATIONS[request.operation][1], errors))

    def _methods(self, request: soap.Request) -> str:
        return soap.respond(request.operation, node("GetMethodsResult", *(leaf("string", name) for name in OPERATIONS)))

    # by location

    def find(self, location: object) -> ServicePoint | None:
        """The service point of an outageLocation: by servLoc, meter, account, and last by a telephone number of one."""
        element = location if isinstance(location, Element) else None
        if found := text(element, "servLoc"):
            return self.directory.by_id(found)
        if found := text(element, "meterNo"):
            return self.directory.by_meter(found)
        if found := text(element, "accountNumber"):
            return next(iter(self.directory.by_account(found)), None)
        phone = re.sub(r"\D", "", text(element, "areaCode") + text(element, "phone"))
        points = self.directory.by_phone(phone) if len(phone) in (10, 11) else []
        return points[0] if len(points) == 1 else None

    def state_at(self, point: ServicePoint) -> tuple[str, SimOutage | None]:
        """The status of a service point (a locationStatus value) and the outage that it comes from."""
        outage = self.outages.at(point.row)
        if outage is not None and outage.status != "Scheduled":
            return outage.status, outage
        if point.non_pay:
            return "NonPay", None
        restored = self.outages.restored_at(point.row)
        if restored is not None:
            return "Restored", restored
        if outage is not None and outage.started_at - self.outages.clock.now() < timedelta(days=7):
            return "Scheduled", outage
        return "NoOutage", None

    def _location_status(self, request: soap.Request) -> str:
        point = self.find(soap.child(request.body, "location"))
        status = self.state_at(point)[0] if point else "Unknown"
        return soap.respond(request.operation, node("GetOutageStatusByLocationResult", status=status))

    def _event_status(self, request: soap.Request) -> str:
        point = self.find(soap.child(request.body, "location"))
        result = "GetOutageEventStatusByOutageLocationResult"
        if point is None:
            body = node(result, leaf("outageStatus", "Unknown"), leaf("customerFound", False))
            return soap.respond(request.operation, body)
        status, outage = self.state_at(point)
        if outage is None:
            # The type has no NoOutage: no status at all says so; NonPay has one.
            body = node(
                result, leaf("outageStatus", status if status == "NonPay" else None), leaf("customerFound", True)
            )
            return soap.respond(request.operation, body)
        body = node(
            result,
            extensions(outage),
            leaf("outageStatus", status),
            leaf("crewDispatched", outage.crew in ("ASSIGNED", "EN_ROUTE", "ON_SITE")),
            leaf("crewOnSite", outage.crew == "ON_SITE"),
            leaf("ETOR", outage.etr if status != "Restored" else None),
            leaf("customerFound", True),
            objectID=outage.id,
        )
        return soap.respond(request.operation, body)

    # by outage

    def _active(self, request: soap.Request) -> str:
        last = text(request.body, "lastReceived")
        waiting = sorted((one for one in self.outages.active() if one.id > last), key=lambda one: one.id)
        block = waiting[:BLOCK]
        events = node("GetAllActiveOutageEventsResult", *(outage_event(self.territory, one) for one in block))
        return soap.respond(
            request.operation, events, remaining=len(waiting) - len(block), last_sent=block[-1].id if block else ""
        )

    def _known(self, request: soap.Request) -> SimOutage | None:
        outage = self.outages.by_id.get(text(request.body, "outageEventID"))
        return None if outage is None or outage.hidden else outage

    def _event(self, request: soap.Request) -> str:
        outage = self._known(request)
        if outage is None:
            return self._refused(request, "no such outage event")[1]
        event = outage_event(self.territory, outage, name="GetOutageEventResult")
        return soap.respond(request.operation, event)

    def _affected(self, request: soap.Request) -> str:
        outage = self._known(request)
        if outage is None:
            return self._refused(request, "no such outage event")[1]
        return soap.respond(request.operation, customers_affected("customersAffectedbyOutage", self.territory, outage))

    def _calls_received(self, request: soap.Request) -> str:
        last = text(request.body, "lastReceived")
        logs = [
            node(
                "outageDetectionLog",
                node(
                    "outageLocation", leaf("servLoc", call.service_location or None),
                    leaf("phone", call.phone or None), leaf("accountNumber", call.account_number or None),
                ),
                leaf("priority", call.priority),
                leaf("timeTroubleBegan", call.event_time or None),
                leaf("timeOfInitialEvent", call.received_at),
                leaf("eventsLogged", call.received),
                objectID=call.object_id,
            )
            for call in self.tickets.on_outage(text(request.body, "outageEventID"))
            if call.object_id > last
        ]  # fmt: skip
        return soap.respond(request.operation, node("GetCallsReceivedOnOutageResult", *logs))

    # trouble calls

    def _trouble_calls(self, request: soap.Request) -> str:
        errors: list[tuple[str, str, str]] = []
        events = soap.child(request.body, "chEvent")
        for element in events if events is not None else ():
            object_id = element.attrib.get("objectID", "").strip()
            location = soap.child(element, "location")
            if not object_id:
                errors.append(("", "objectID is missing", "customerCall"))
                continue
            point = self.find(location)
            priority = text(element, "callPriority") or "Normal"
            if priority not in ("Normal", "NeedsAttention", "Urgent"):
                errors.append((object_id, "callPriority is not valid", "customerCall"))
                continue
            address = text(location, "gridLocation") or text(location, "comments") or text(element, "comments")
            if point is None and address:
                point = self._at_address(address)
            if point is None and not address and not text(location, "phone") and priority != "Urgent":
                errors.append((object_id, "the location is not known and says nothing", "outageLocation"))
                continue
            self.tickets.take(self._call(element, object_id, priority, address, point), point)
        return self._errors(request, errors)

    def _at_address(self, address: str) -> ServicePoint | None:
        """The one premise that an address in words can only mean."""
        found = self.directory.by_address(address, limit=2)
        sure = [point for point, score in found if score >= ADDRESS_SCORE]
        return sure[0] if len(sure) == 1 else None

    def _call(self, element: Element, object_id: str, priority: str, address: str, point: ServicePoint | None) -> Call:
        location = soap.child(element, "location")
        return Call(
            object_id=object_id,
            problem_code=text(element, "problemCode") or "outage",
            description=text(element, "description"),
            call_type=text(element, "callType"),
            priority=priority,
            account_number=text(location, "accountNumber") or (point.account_number if point else ""),
            service_location=point.id if point else text(location, "servLoc"),
            phone=text(location, "areaCode") + text(location, "phone"),
            address=address or (point.address if point else ""),
            event_time=text(element, "eventTime") or iso(self.outages.clock.now()) or "",
            resolved_level=text(element, "resolvedLevel") or ("Meter" if point else "Unresolved"),
            received_at=self.outages.clock.now(),
        )
