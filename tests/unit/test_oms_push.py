"""Pushes from the OMS: what is read, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.oms import wire
from integrations.oms.models import Cause, CrewStatus, EtrClass, Event, OutageStatus
from integrations.oms.push import PushRejected, fault, parse_push, read_push

pytestmark = pytest.mark.unit

V3 = "http://www.multispeak.org/Version_3.0"
V4 = "http://www.multispeak.org/Version_4.1_Release"
NOW = datetime(2026, 1, 20, 15, 0, tzinfo=UTC)


def soap(body: str, namespace: str = V3, stamp: str = "2026-01-20T09:59:00-05:00") -> bytes:
    return (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header>'
        f'<MultiSpeakMsgHeader xmlns="{namespace}" UserID="u" Pwd="p" TimeStamp="{stamp}"/></s:Header>'
        f"<s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def changed(inner: str, namespace: str = V3) -> bytes:
    name = "OutageEventChangedNotification"
    return soap(f'<{name} xmlns="{namespace}"><oEvents>{inner}</oEvents></{name}>', namespace)


def extension(**values: str) -> str:
    items = "".join(
        f"<extensionsItem><extName>{name}</extName><extValue>{value}</extValue></extensionsItem>"
        for name, value in values.items()
    )
    return f"<extensionsList>{items}</extensionsList>"


FULL = (
    '<outageEvent objectID="OUT-7" verb="Change">'
    "<comments>is based on an evaluation of the situation by our technicians.</comments>"
    + extension(crewStatus="Crew on-site", sequence="12", updatedAt="2026-01-20T14:58:30Z")
    + "<deviceID>FUSE-77</deviceID><substationCode>MILL</substationCode><feeder>F-12</feeder>"
    "<outageDescription>Tree on feeder F-12 near MILL</outageDescription><outageStatus>Confirmed</outageStatus>"
    "<startTime>2026-01-20T08:15:00</startTime><ETOR>2026-01-20T13:30:00</ETOR><isPlanned>false</isPlanned>"
    "<customersAffected>412</customersAffected></outageEvent>"
)


@pytest.mark.parametrize("namespace", [V3, V4])
def test_a_changed_outage_is_read_in_both_versions(namespace: str) -> None:
    push = read_push(changed(FULL, namespace), NOW)
    (event,) = push.events
    outage = event.outage
    assert outage is not None
    assert (event.outage_id, event.sequence) == ("OUT-7", 12)
    assert event.at == datetime(2026, 1, 20, 14, 58, 30, tzinfo=UTC)
    assert outage.status is OutageStatus.CONFIRMED
    assert outage.started_at == datetime(2026, 1, 20, 13, 15, tzinfo=UTC)
    assert outage.etr == datetime(2026, 1, 20, 18, 30, tzinfo=UTC)
    assert (outage.etr_class, outage.crew, outage.customers_out) == (EtrClass.CREW, CrewStatus.ON_SITE, 412)
    assert outage.cause == Cause.TREE
    assert namespace.encode() in push.answer()


def test_feeder_device_and_substation_do_not_get_past_the_connector() -> None:
    (event,) = read_push(changed(FULL), NOW).events
    kept = event.to_json() + repr(event)
    assert not [name for name in ("FUSE-77", "MILL", "F-12") if name in kept]


def test_a_time_customers_are_not_to_hear_is_dropped() -> None:
    hidden = FULL.replace("<extensionsList>", "<extensionsList><extensionsItem><extName>showEtr</extName>"
                          "<extValue>false</extValue></extensionsItem>")  # fmt: skip
    outage = read_push(changed(hidden), NOW).events[0].outage
    assert outage is not None
    assert (outage.etr, outage.etr_class) == (None, EtrClass.ASSESSING)


def test_the_event_time_is_the_messages_when_it_has_none_of_its_own() -> None:
    (event,) = read_push(
        changed('<outageEvent objectID="A"><outageStatus>Assumed</outageStatus></outageEvent>'), NOW
    ).events
    assert event.at == datetime(2026, 1, 20, 14, 59, tzinfo=UTC)


def test_a_deleted_outage_is_gone_and_not_restored() -> None:
    (event,) = parse_push(changed('<outageEvent objectID="A" verb="Delete"/>'))
    assert (event.kind, event.outage) == ("gone", None)


def test_planned_work_keeps_its_end() -> None:
    text = (
        '<outageEvent objectID="P"><outageStatus>Scheduled</outageStatus><startTime>2026-01-21T09:00:00</startTime>'
        "<ETOR>2026-01-21T12:00:00</ETOR><isPlanned>true</isPlanned></outageEvent>"
    )
    outage = read_push(changed(text), NOW).events[0].outage
    assert outage is not None
    assert outage.planned
    assert outage.planned_end == datetime(2026, 1, 21, 17, 0, tzinfo=UTC)


def test_nonsense_in_fields_loses_the_field_and_not_the_outage() -> None:
    text = (
        '<outageEvent objectID="N"><outageStatus>Elsewhere</outageStatus><startTime>yesterday</startTime>'
        "<ETOR>ETR-NULL</ETOR><customersAffected>many</customersAffected><isPlanned>maybe</isPlanned></outageEvent>"
    )
    outage = read_push(changed(text), NOW).events[0].outage
    assert outage is not None
    assert (outage.status, outage.started_at, outage.etr, outage.customers_out, outage.planned) == (
        OutageStatus.UNKNOWN, None, None, None, False
    )  # fmt: skip


def test_affected_customers_are_read_by_service_point_and_else_by_meter() -> None:
    name = "CustomersAffectedByOutageNotification"
    body = (
        f'<{name} xmlns="{V3}"><newOutages><customersAffectedByOutage><outageEventID>A</outageEventID><affectedMeters>'
        "<affectedMeter><meterNo>M1</meterNo><servLoc>SP1</servLoc></affectedMeter>"
        "<affectedMeter><meterNo>M2</meterNo></affectedMeter></affectedMeters></customersAffectedByOutage>"
        f"</newOutages></{name}>"
    )
    (event,) = parse_push(soap(body))
    assert (event.kind, event.outage_id, event.service_points, event.meters) == ("affected", "A", ("SP1",), ("M2",))


def test_events_survive_the_stream() -> None:
    for event in (*read_push(changed(FULL), NOW).events, Event("affected", "A", NOW, 3, None, ("SP1", "SP2"), ("M",))):
        assert Event.from_json(event.to_json()) == event


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"kind":"outage"}', "\x00"])
def test_a_stream_entry_that_is_no_event_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):
        Event.from_json(text)


BOMB = (
    '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>'
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><a>&c;</a></s:Body></s:Envelope>'
)
OUTSIDE = (
    '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>'
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><a>&a;</a></s:Body></s:Envelope>'
)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"   ",
        b"<",
        b"\x00\xff\xfe",
        b"<html/>",
        soap(""),
        soap("<Unknown/>"),
        BOMB.encode(),
        BOMB.encode("utf-16"),
        OUTSIDE.encode(),
        changed(FULL)[:-30],
        b"<a>" * 5000,
    ],
)
def test_hostile_or_broken_pushes_are_refused_with_a_constant_text(raw: bytes) -> None:
    with pytest.raises(PushRejected) as refused:
        parse_push(raw)
    assert str(refused.value) in {
        "not well-formed XML",
        "document type not allowed",
        "not a SOAP message",
        "empty SOAP body",
        "unknown notification",
    }
    assert b"Fault" in fault(str(refused.value))


def test_a_push_over_the_limit_is_not_parsed() -> None:
    with pytest.raises(PushRejected, match="too large"):
        read_push(changed(FULL), NOW, limit=100)


@given(st.binary(max_size=400))
def test_no_bytes_crash_the_reader(raw: bytes) -> None:
    with pytest.raises(wire.WireError):
        wire.parse(raw)


@given(st.text(alphabet=st.characters(blacklist_categories=("Cs", "Cc")), max_size=60))
def test_no_field_value_crashes_the_reader(value: str) -> None:
    from xml.sax.saxutils import escape

    safe = escape(value)
    text = "".join(
        f"<{name}>{safe}</{name}>"
        for name in ("outageStatus", "startTime", "ETOR", "customersAffected", "isPlanned", "firstArrival", "comments")
    )
    assert len(read_push(changed(f'<outageEvent objectID="A">{text}</outageEvent>'), NOW).events) == 1
