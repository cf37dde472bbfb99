"""The simulated OMS speaks MultiSpeak: read by zeep, by its own contract and by the standard's."""

from __future__ import annotations

import asyncio
import gzip
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import zeep
from lxml import etree

from integrations.sandbox import soap
from integrations.sandbox.territory import Level
from integrations.sandbox.utility import Utility
from integrations.sandbox.wsdl import NAMESPACE, OPERATIONS
from tests.fakes.sandbox import sandbox

pytestmark = pytest.mark.contract

STANDARD = Path(__file__).resolve().parents[3] / "shared" / "standards" / "multispeak" / "OA_Server_v3ac.wsdl.gz"
HEADER = {"MultiSpeakMsgHeader": {"UserID": "tester", "Pwd": "s3cret<&>", "Version": "3.0AC"}}


@pytest.fixture
async def oms() -> AsyncIterator[tuple[str, Utility]]:
    async with sandbox(user="tester", password="s3cret<&>", ticking=False) as (url, utility):
        yield f"{url}/multispeak/oms", utility


class Caller:
    """zeep, run beside the loop that serves it."""

    def __init__(self, client: zeep.Client, service: Any = None) -> None:
        self.client, self.service = client, service or client.service

    @classmethod
    async def load(cls, url: str) -> Caller:
        return cls(await asyncio.to_thread(zeep.Client, f"{url}?wsdl"))

    async def __call__(self, name: str, header: Any = HEADER, **arguments: Any) -> Any:
        method = getattr(self.service, name)
        answer = await asyncio.to_thread(method, _soapheaders=header, **arguments)
        answer = getattr(answer, "body", answer)
        result = OPERATIONS[name][1]
        return getattr(answer, result) if answer is not None and hasattr(answer, result) else answer


def extra(item: Any) -> dict[str, str]:
    return {one.extName: one.extValue for one in item.extensionsList.extensionsItem}


def demo(utility: Utility, key: str) -> dict[str, Any]:
    return next(one for one in utility.demo_customers() if one["key"] == key)


async def test_zeep_can_call_everything_that_get_methods_lists(oms: tuple[str, Utility]) -> None:
    call = await Caller.load(oms[0])
    methods = await call("GetMethods")
    assert set(methods["string"]) == set(OPERATIONS)
    assert not await call("PingURL")


async def test_a_location_is_found_by_id_meter_account_and_phone(oms: tuple[str, Utility]) -> None:
    url, utility = oms
    call = await Caller.load(url)
    customer = demo(utility, "crew_etr")
    point = utility.directory.by_id(customer["service_point_id"])
    assert point is not None
    for location in (
        {"servLoc": point.id},
        {"meterNo": point.meter_id},
        {"accountNumber": point.account_number},
        {"areaCode": customer["phone"][2:5], "phone": customer["phone"][5:]},
    ):
        event = await call("GetOutageEventStatusByOutageLocation", location=location)
        assert event.customerFound and event.outageStatus == "Confirmed"
        assert event.crewDispatched and not event.crewOnSite
        assert event.ETOR > utility.clock.now()
        assert extra(event)["etrClass"] == "CREW" and extra(event)["crewStatus"] == "EN_ROUTE"
        assert event.objectID == customer["premises"][0]["outage_id"]
        assert (await call("GetOutageStatusByLocation", location=location)).status == "Confirmed"


@pytest.mark.parametrize(
    ("key", "status", "event_status"),
    [
        ("no_outage", "NoOutage", None),
        ("still_out", "Restored", "Restored"),
        ("non_pay", "NonPay", "NonPay"),
        ("planned", "Scheduled", "Scheduled"),
        ("unknown_number", "Assumed", "Assumed"),
    ],
)
async def test_each_situation_has_its_status(
    oms: tuple[str, Utility], key: str, status: str, event_status: str | None
) -> None:
    call = await Caller.load(oms[0])
    location = {"servLoc": demo(oms[1], key)["service_point_id"]}
    assert (await call("GetOutageStatusByLocation", location=location)).status == status
    event = await call("GetOutageEventStatusByOutageLocation", location=location)
    assert event.customerFound and event.outageStatus == event_status
    assert event.ETOR is None or status == "Scheduled"


async def test_an_unknown_place_or_an_ambiguous_phone_is_not_found(oms: tuple[str, Utility]) -> None:
    call = await Caller.load(oms[0])
    for location in ({"servLoc": "SP999999"}, {"areaCode": "207", "phone": "5550107"}, {"phone": "x"}, {}):
        event = await call("GetOutageEventStatusByOutageLocation", location=location)
        assert event.customerFound is False and event.outageStatus == "Unknown"
        assert (await call("GetOutageStatusByLocation", location=location)).status == "Unknown"


async def test_an_outage_event_tells_all_that_the_package_promises(oms: tuple[str, Utility]) -> None:
    url, utility = oms
    call = await Caller.load(url)
    outage_id = demo(utility, "withdrawn_etr")["premises"][0]["outage_id"]
    event = await call("GetOutageEvent", outageEventID=outage_id)
    assert event.objectID == outage_id and event.ETOR is None
    assert extra(event)["etrWithdrawn"] == "true" and extra(event)["crewStatus"] == "SUSPENDED"
    assert event.outageReasonCodeList.OutageCause.description == event.outageDescription == "a tree on the lines"
    assert event.deviceID and event.feeder and event.substationCode  # what a connector has to drop
    affected = await call("GetCustomersAffectedByOutage", outageEventID=outage_id)
    places = [one.servLoc for one in affected.affectedMeters.affectedMeter]
    assert demo(utility, "withdrawn_etr")["service_point_id"] in places
    assert len(places) == event.customersAffected


async def test_active_outages_come_in_blocks_with_nothing_lost_or_doubled(oms: tuple[str, Utility]) -> None:
    url, utility = oms
    for row in range(0, 1300):
        utility.outages.open(utility.territory.device_of(row, Level.SERVICE), [row])
    call = await Caller.load(url)
    ids: list[str] = []
    last = ""
    while True:
        answer = await asyncio.to_thread(call.service.GetAllActiveOutageEvents, lastReceived=last, _soapheaders=HEADER)
        ids += [one.objectID for one in answer.body.GetAllActiveOutageEventsResult.outageEvent]
        header = answer.header.MultiSpeakMsgHeader
        last = header.LastSent
        if not header.ObjectsRemaining:
            break
    assert len(ids) == len(set(ids)) == len(utility.outages.active())


async def test_a_wrong_password_is_refused_inside_a_200(oms: tuple[str, Utility]) -> None:
    url, utility = oms
    call = await Caller.load(url)
    wrong = {"MultiSpeakMsgHeader": {"UserID": "tester", "Pwd": "guess"}}
    (refusal,) = (await call("PingURL", header=wrong))["errorObject"]
    assert "not valid" in refusal.errorString
    location = {"servLoc": "SP000001"}
    event = await call("GetOutageEventStatusByOutageLocation", header=wrong, location=location)
    assert "not valid" in event.errorString and event.outageStatus is None
    with pytest.raises(zeep.exceptions.Fault):
        await call("GetOutageStatusByLocation", header=wrong, location=location)
    calls = {"customerCall": [{"objectID": "a", "problemCode": "OUTAGE", "location": location}]}
    assert (await call("CHEventNotification", header=wrong, chEvent=calls))["errorObject"]
    assert not utility.tickets.calls


async def test_a_trouble_call_becomes_one_ticket_however_often_it_is_sent(oms: tuple[str, Utility]) -> None:
    url, utility = oms
    call = await Caller.load(url)
    point = utility.directory.by_id(demo(utility, "no_outage")["service_point_id"])
    assert point is not None
    report = {
        "objectID": "report-1", "problemCode": "OUTAGE", "callPriority": "NeedsAttention", "callType": "IVR",
        "description": "it's <dark> & cold", "location": {"servLoc": point.id},
    }  # fmt: skip
    for _ in range(3):
        assert not await call("CHEventNotification", chEvent={"customerCall": [report]})
    base = url.removesuffix("/multispeak/oms")
    async with httpx.AsyncClient(base_url=base) as http:
        (ticket,) = (await http.get("/sandbox/tickets", params={"service_location": point.id})).json()
    assert ticket["received"] == 3 and ticket["priority"] == "NeedsAttention"
    assert ticket["account_number"] == point.account_number and ticket["problem_code"] == "OUTAGE"
    assert ticket["description"] == "it's <dark> & cold"
    assert (await call("GetOutageStatusByLocation", location={"servLoc": point.id})).status == "Assumed"
    (logged,) = (await call("GetCallsReceivedOnOutage", outageEventID=ticket["outage_id"]))["outageDetectionLog"]
    assert logged.objectID == "report-1" and logged.eventsLogged == 3


async def test_a_call_whose_answer_was_lost_has_still_arrived(oms: tuple[str, Utility]) -> None:
    url, utility = oms
    call = await Caller.load(url)
    async with httpx.AsyncClient(base_url=url.removesuffix("/multispeak/oms")) as http:
        await http.post("/sandbox/faults", json={"system": "oms", "mode": "lost", "times": 1})
    report = {"objectID": "r", "problemCode": "OUTAGE", "location": {"servLoc": "SP000001"}}
    with pytest.raises(Exception, match=r"(?i)aborted|reset|closed"):
        await call("CHEventNotification", chEvent={"customerCall": [report]})
    assert not await call("CHEventNotification", chEvent={"customerCall": [report]})
    assert [one.received for one in utility.tickets.calls.values()] == [2]


async def test_bad_calls_are_named_one_by_one_and_good_ones_beside_them_are_taken(oms: tuple[str, Utility]) -> None:
    url, utility = oms
    call = await Caller.load(url)
    reports = [
        {"problemCode": "OUTAGE", "location": {"servLoc": "SP000001"}},
        {"objectID": "nowhere", "problemCode": "OUTAGE", "location": {"servLoc": "SP999999"}},
        {"objectID": "words", "problemCode": "OUTAGE", "location": {"comments": "3 kettle pond road, juniper bay"}},
        {"objectID": "gas", "problemCode": "GAS_LEAK", "callPriority": "Urgent", "location": {}},
    ]
    errors = (await call("CHEventNotification", chEvent={"customerCall": reports}))["errorObject"]
    assert [(one.objectID or "", one.nounType) for one in errors] == [
        ("", "customerCall"),
        ("nowhere", "outageLocation"),
    ]
    assert set(utility.tickets.calls) == {"words", "gas"}
    assert utility.tickets.calls["words"].service_location == demo(utility, "no_outage")["service_point_id"]
    assert utility.tickets.calls["gas"].outage_id == ""


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"\x00\xff", b"hello", b"<a/>", b"<Envelope/>", b"<Envelope><Body/></Envelope>",
        b"<Envelope><Body><DropTables/></Body></Envelope>",
        b'<!DOCTYPE a [<!ENTITY b "c">]><Envelope><Body>&b;</Body></Envelope>', b"<Envelope>" + b"x" * 3_000_000,
    ],
    ids=["empty", "binary", "text", "not soap", "no body", "empty body", "unknown", "entity", "huge"],
)  # fmt: skip
async def test_what_is_no_call_of_ours_gets_a_soap_fault(oms: tuple[str, Utility], raw: bytes) -> None:
    async with httpx.AsyncClient() as http:
        answer = await http.post(oms[0], content=raw, headers={"Content-Type": "text/xml"})
    assert answer.status_code == 500
    assert soap.text(soap.child(etree.fromstring(answer.content), "Body", "Fault"), "faultcode") == "soap:Client"


async def test_a_client_made_from_the_standards_own_contract_understands_the_server(oms: tuple[str, Utility]) -> None:
    if not STANDARD.exists():
        pytest.skip("the MultiSpeak WSDL is not beside the project (../shared/standards/multispeak)")
    url, utility = oms

    def load() -> zeep.Client:
        with gzip.open(STANDARD) as file:
            return zeep.Client(file)

    client = await asyncio.to_thread(load)
    binding = next(name for name in client.wsdl.bindings if re.search(r"Soap$", name))
    call = Caller(client, client.create_service(binding, url))
    customer = demo(utility, "crew_etr")
    location = {"servLoc": customer["service_point_id"]}
    event = await call("GetOutageEventStatusByOutageLocation", location=location)
    assert event.outageStatus == "Confirmed" and extra(event)["etrClass"] == "CREW"
    events = await call("GetAllActiveOutageEvents", lastReceived="")
    listed = events if isinstance(events, list) else events["outageEvent"]
    assert len(listed) == len(utility.outages.active())
    one = await call("GetOutageEvent", outageEventID=event.objectID)
    assert one.outageReasonCodeList.OutageCause.description == "a tree on the lines"
    affected = await call("GetCustomersAffectedByOutage", outageEventID=event.objectID)
    assert affected.affectedMeters.affectedMeter
    report = {
        "objectID": "r",
        "verb": "New",
        "problemCode": "OUTAGE",
        "callType": "IVR",
        "callPriority": "Normal",
        "location": location,
    }
    assert not await call("CHEventNotification", chEvent={"customerCall": [report]})
    assert list(utility.tickets.calls) == ["r"]
    assert await call("GetCallsReceivedOnOutage", outageEventID=event.objectID, lastReceived="")


async def test_the_contract_names_the_address_that_it_was_read_from(oms: tuple[str, Utility]) -> None:
    async with httpx.AsyncClient() as http:
        document = etree.fromstring((await http.get(f"{oms[0]}?wsdl")).content)
    (address,) = document.iter("{http://schemas.xmlsoap.org/wsdl/soap/}address")
    assert address.get("location") == oms[0] and document.get("targetNamespace") == NAMESPACE
