"""The OMS by MultiSpeak 3.0 SOAP: zeep builds the messages from the server's own WSDL, `wire` reads the answers."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit
from zoneinfo import ZoneInfo

import httpx
import structlog
import zeep
import zeep.exceptions
from zeep.wsdl.bindings.soap import Soap11Binding

from integrations.base.breaker import CircuitBreaker
from integrations.base.clock import Now, utc_now
from integrations.base.settings import Settings
from integrations.oms import calls, wire
from integrations.oms.errors import OmsRejected, OmsUnavailable
from integrations.oms.meanings import UTILITY_ZONE, status_of
from integrations.oms.models import Event, LocationEvent, OutageStatus, TroubleReport
from integrations.oms.transport import TooLarge, close, make_transport

log = structlog.get_logger()

T = TypeVar("T")

__all__ = ["Location", "MultiSpeakOms", "OmsRejected", "OmsUnavailable"]

_MOST_PAGES = 500
# Version 3.0AC's WSDL names the result with a small "by"; other servers follow the type or the habit of ...Result.
_AFFECTED = ("customersAffectedByOutage", "customersAffectedbyOutage", "GetCustomersAffectedByOutageResult")


class _NotOffered(OmsRejected):
    """The server's WSDL has no such call; nothing was sent."""


@dataclass(frozen=True, slots=True)
class Location:
    """Where a customer is, in MultiSpeak's terms (outageLocation); what is empty is not sent."""

    service_point_id: str = ""
    meter_id: str = ""
    account_number: str = ""


class MultiSpeakOms:
    """A client of one OMS, for one event loop.

    Every call has a limit in all. After a few failures in a row calls are refused at once, and the first one refused
    after a cool-down starts a ping in the background: no customer ever waits to find out whether a dead OMS is back.

    Args:
        wsdl_url: where the OMS describes itself; fetched once, in a thread, and kept on disk in `kept`.
        user: UserID of the message header.
        password: Pwd of the message header. MultiSpeak sends it in the clear: use https.
        company: whom the OMS knows us as.
        service_url: where calls go; by default the WSDL's own address without its query. The address *inside* the
            WSDL is not believed: vendors leave "localhost" there, and credentials go only where the operator said.
        budget_seconds: the most a customer's turn may wait.
        patient_seconds: the most that work in the background may wait for one answer.
        connect_seconds: the most to open a connection.
        zone: for times without an offset.
    """

    def __init__(
        self,
        wsdl_url: str,
        *,
        user: str,
        password: str,
        company: str = "Porchlight",
        service_url: str | None = None,
        budget_seconds: float = 1.5,
        patient_seconds: float = 20.0,
        connect_seconds: float = 0.75,
        zone: ZoneInfo = UTILITY_ZONE,
        kept: Path | None = None,
        breaker: CircuitBreaker | None = None,
        now: Now = utc_now,
    ) -> None:
        self.budget_seconds = budget_seconds
        self._patient = patient_seconds
        self._wsdl_url = wsdl_url
        self._service_url = service_url or urlunsplit((*urlsplit(wsdl_url)[:3], "", ""))
        self._user, self._password, self._company = user, password, company
        self._zone = zone
        self._now = now
        self._breaker = breaker or CircuitBreaker()
        self._transport = make_transport(connect_seconds, patient_seconds, kept)
        self._service: Any = None
        self._loading: asyncio.Task[None] | None = None
        self._background: set[asyncio.Task[None]] = set()

    @classmethod
    def from_settings(cls, settings: Settings) -> MultiSpeakOms:
        """Build it as the environment says."""
        return cls(
            settings.oms_wsdl_url,
            user=settings.oms_user,
            password=settings.oms_password.get_secret_value(),
            company=settings.oms_company,
            budget_seconds=settings.oms_budget_seconds,
            kept=settings.run_dir / "wsdl",
        )

    @property
    def available(self) -> bool:
        """Whether calls are being let through; False after failures in a row until the OMS answers again."""
        return self._breaker.allows

    async def aclose(self) -> None:
        """Stop what runs in the background and close connections."""
        tasks = [*self._background, *([self._loading] if self._loading else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await close(self._transport)

    # -- reading

    async def location_event(self, where: Location, budget: float | None = None) -> LocationEvent:
        """What the OMS says about one place now (GetOutageEventStatusByOutageLocation).

        A server without that call is asked by GetOutageStatusByLocation, which knows the status alone.

        Raises:
            OmsUnavailable: no usable answer within the budget.
            OmsRejected: the OMS refused the question.
        """
        limit = self.budget_seconds if budget is None else budget
        location = calls.location(where.service_point_id, where.meter_id, where.account_number)
        try:
            return await self._call(
                "GetOutageEventStatusByOutageLocation",
                {"location": location},
                lambda answer: wire.read_location_event(_result(answer), self._now(), self._zone),
                limit,
            )
        except _NotOffered:
            return LocationEvent(True, await self._location_status(location, limit))

    async def location_status(self, where: Location, budget: float | None = None) -> OutageStatus:
        """GetOutageStatusByLocation: the status of one place.

        Raises:
            OmsUnavailable, OmsRejected: as `location_event`.
        """
        location = calls.location(where.service_point_id, where.meter_id, where.account_number)
        return await self._location_status(location, self.budget_seconds if budget is None else budget)

    async def active_outages(self) -> list[Event]:
        """Every active outage (GetAllActiveOutageEvents, all its pages), as events.

        Raises:
            OmsUnavailable: also when a page is missing: half a list would restore the other half.
            OmsRejected: the OMS refused.
        """
        found: dict[str, Event] = {}
        last = ""
        for _ in range(_MOST_PAGES):
            events, remaining, sent_last = await self._call(
                "GetAllActiveOutageEvents", {"lastReceived": last}, self._read_page, self._patient, patient=True
            )
            before = len(found)
            found.update((event.outage_id, event) for event in events)
            if remaining <= 0:
                return list(found.values())
            last = sent_last or (events[-1].outage_id if events else "")
            if not last or len(found) == before:
                break
        raise OmsUnavailable("paging does not end")

    async def outage(self, outage_id: str) -> Event | None:
        """One outage (GetOutageEvent); None when the OMS does not know it any more.

        Raises:
            OmsUnavailable: no usable answer.
            OmsRejected: the OMS refused.
        """

        def read(answer: wire.Envelope) -> Event | None:
            holder = wire.child(answer.body, "GetOutageEventResult")
            return None if holder is None else wire.read_outage(holder, self._now(), answer.sent_at, self._zone)

        return await self._call("GetOutageEvent", {"outageEventID": outage_id}, read, self._patient, patient=True)

    async def affected(self, outage_id: str) -> Event:
        """Whom an outage affects (GetCustomersAffectedByOutage).

        Raises:
            OmsUnavailable: no usable answer.
            OmsRejected: the OMS refused, for instance because it does not know the outage.
        """

        def read(answer: wire.Envelope) -> Event:
            for name in _AFFECTED:
                for holder in wire.descendants(answer.body, name):
                    event = wire.read_affected(holder, self._now(), answer.sent_at, self._zone)
                    if event is not None and event.outage_id == outage_id:
                        return event
            raise wire.WireError("incomplete list of customers")

        return await self._call(
            "GetCustomersAffectedByOutage", {"outageEventID": outage_id}, read, self._patient, patient=True
        )

    # -- writing

    async def report(
        self, report: TroubleReport, object_id: str, budget: float | None = None, *, patient: bool = False
    ) -> None:
        """Hand in a trouble call (CHEventNotification). The same object id again is the same ticket.

        Args:
            report: what the customer reported.
            object_id: of the ticket.
            budget: seconds; by default a turn's, or the longer one of background work.
            patient: nobody is waiting: take more time, and try although the OMS failed before.

        Raises:
            OmsUnavailable: no usable answer: it may or may not have arrived. Send it again with the same object id.
            OmsRejected: the OMS has it not and says why. A refusal as a duplicate is not one: it has it.
        """
        usual = self._patient if patient else self.budget_seconds
        limit = usual if budget is None else budget
        message = {"chEvent": {"customerCall": [calls.customer_call(report, object_id)]}}

        def read(answer: wire.Envelope) -> None:
            problems = [
                error
                for error in wire.errors(answer.body)
                if not (error.object_id in ("", object_id) and calls.means_duplicate(error.text))
            ]
            if problems:
                raise OmsRejected(problems[0].text, problems[0].object_id)
            if answer.name != "CHEventNotificationResponse":
                raise wire.WireError("unexpected answer")

        await self._call("CHEventNotification", message, read, limit, patient=patient, check=False)

    # -- health

    async def ping(self) -> None:
        """PingURL.

        Raises:
            OmsUnavailable, OmsRejected: it does not answer well.
        """
        await self._call("PingURL", {}, lambda answer: None, self._patient, patient=True)

    async def methods(self) -> list[str]:
        """GetMethods: vendors implement few of the standard's calls and this says which.

        Raises:
            OmsUnavailable, OmsRejected: it does not answer well.
        """

        def read(answer: wire.Envelope) -> list[str]:
            words = ((item.text or "").strip() for item in answer.body.iter() if len(item) == 0)
            return [word for word in words if word]

        return await self._call("GetMethods", {}, read, self._patient, patient=True)

    # -- inside

    async def _location_status(self, location: dict[str, str], limit: float) -> OutageStatus:
        def read(answer: wire.Envelope) -> OutageStatus:
            result = _result(answer)
            raw = result.get("status") or wire.text(result, "status")
            if not raw:
                raise wire.WireError("incomplete location status")
            return status_of(raw)

        return await self._call("GetOutageStatusByLocation", {"location": location}, read, limit)

    def _read_page(self, answer: wire.Envelope) -> tuple[list[Event], int, str]:
        result = _result(answer)
        now = self._now()
        items = wire.descendants(result, "outageEvent")
        events = [wire.read_outage(item, now, answer.sent_at, self._zone) for item in items]
        known = [event for event in events if event is not None]
        if events and not known:
            raise wire.WireError("incomplete list of outages")
        return known, wire.number(answer.header.get("ObjectsRemaining")) or 0, answer.header.get("LastSent", "")

    def _offers(self, name: str) -> bool:
        return name in self._service._binding._operations

    def _namespace(self, name: str) -> str:
        element = self._service._binding._operations[name].input.body
        return str(getattr(getattr(element, "qname", None), "namespace", None) or calls.NAMESPACE)

    async def _ready(self, limit: float) -> None:
        """The WSDL, loaded once; several callers wait for the same loading, and none longer than its own limit."""
        if self._service is not None:
            return
        if self._loading is None or self._loading.done():
            self._loading = asyncio.create_task(self._load(), name="load the OMS's WSDL")
            # Its failure is told to whoever waits; when nobody does any more, it still counts as seen.
            self._loading.add_done_callback(lambda task: task.cancelled() or task.exception())
        try:
            await asyncio.wait_for(asyncio.shield(self._loading), limit)
        except TimeoutError:
            raise OmsUnavailable("WSDL slow") from None

    async def _load(self) -> None:
        settings = zeep.Settings(strict=False, raw_response=True, forbid_dtd=True, xml_huge_tree=False)

        def build() -> Any:
            return zeep.AsyncClient(self._wsdl_url, transport=self._transport, settings=settings)

        try:
            client = await asyncio.to_thread(build)
            bindings = [port.binding for service in client.wsdl.services.values() for port in service.ports.values()]
            # Vendors list SOAP 1.1 and 1.2 side by side; MultiSpeak 3 is SOAP 1.1.
            soap = next((one for one in bindings if isinstance(one, Soap11Binding)), None)
            if soap is None:
                raise OmsUnavailable("WSDL without SOAP 1.1")
            self._service = client.create_service(str(soap.name), self._service_url)
        except Exception as error:
            # "WSDL files returned by vendors are often incomplete and fail parsing", in more ways than zeep names.
            log.warning("WSDL cannot be used", error=type(error).__name__)
            raise OmsUnavailable("WSDL cannot be used") from None

    def _probe_later(self) -> None:
        if self._breaker.take_probe():
            task = asyncio.create_task(self._probe(), name="probe the OMS")
            self._background.add(task)
            task.add_done_callback(self._background.discard)

    async def _probe(self) -> None:
        with contextlib.suppress(OmsUnavailable, OmsRejected):
            await self.ping()

    async def _call(
        self,
        name: str,
        arguments: dict[str, Any],
        read: Callable[[wire.Envelope], T],
        limit: float,
        *,
        patient: bool = False,
        check: bool = True,
    ) -> T:
        """One call: circuit breaker, limit in all, errors in a 200, all that can be wrong with an answer."""
        if not self._breaker.allows and not patient:
            self._probe_later()
            raise OmsUnavailable("left alone after failures")
        try:
            async with asyncio.timeout(limit):
                answer = await self._exchange(name, arguments)
                value = await self._understand(answer, name, read, check)
        except OmsRejected:
            self._breaker.succeeded()
            raise
        except TimeoutError:
            self._breaker.failed()
            raise OmsUnavailable("slow") from None
        except OmsUnavailable:
            self._breaker.failed()
            raise
        except wire.WireError as error:
            self._breaker.failed()
            raise OmsUnavailable(str(error)) from None
        except TooLarge:
            self._breaker.failed()
            raise OmsUnavailable("answer too large") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError):
            self._breaker.failed()
            raise OmsUnavailable("no connection or half an answer") from None
        except zeep.exceptions.Error:
            # The WSDL does not take what we would send: nothing was sent, and the OMS may be in good health.
            raise OmsUnavailable("the WSDL does not fit") from None
        self._breaker.succeeded()
        return value

    async def _exchange(self, name: str, arguments: dict[str, Any]) -> httpx.Response:
        await self._ready(self._patient)
        if not self._offers(name):
            raise _NotOffered("not offered by this server")
        header = {
            "Version": "3.0AC",
            "UserID": self._user,
            "Pwd": self._password,
            "AppName": "Porchlight",
            "Company": self._company,
            "MessageID": str(uuid.uuid4()),
            "TimeStamp": self._now().isoformat(),
        }
        call = getattr(self._service, name)
        response: httpx.Response = await call(_soapheaders=calls.header(self._namespace(name), header), **arguments)
        return response

    async def _understand(
        self, response: httpx.Response, name: str, read: Callable[[wire.Envelope], T], check: bool
    ) -> T:
        raw = response.content
        if response.status_code in (401, 403):
            raise OmsUnavailable("credentials refused")
        # A storm's list would hold the loop for a good part of a second.
        answer = await asyncio.to_thread(wire.parse, raw) if len(raw) > 65_536 else wire.parse(raw)
        if answer.name == "Fault":
            code = (wire.text(answer.body, "faultcode") or "").lower()
            if "client" in code or "sender" in code:
                raise OmsRejected("fault")
            raise OmsUnavailable("fault")
        if response.status_code != 200:
            raise OmsUnavailable("error status")
        if answer.name != f"{name}Response":
            raise wire.WireError("unexpected answer")
        if check:
            problems = wire.errors(answer.body)
            if problems:
                raise OmsRejected(problems[0].text, problems[0].object_id)
        return await asyncio.to_thread(read, answer) if len(raw) > 65_536 else read(answer)


def _result(answer: wire.Envelope) -> Any:
    """The one element inside a response.

    Raises:
        WireError: there is none: the server has said nothing.
    """
    for item in answer.body:
        if wire.local(item):
            return item
    raise wire.WireError("answer without a result")
