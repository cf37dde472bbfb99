"""Our MultiSpeak client against the simulated OMS, over SOAP on loopback, well and broken."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from integrations.base.breaker import CircuitBreaker
from integrations.oms.client import Location, MultiSpeakOms, OmsRejected, OmsUnavailable
from integrations.oms.models import CrewStatus, EtrClass, OutageStatus, TroubleReport
from integrations.oms.reports import object_id_of
from integrations.sandbox.utility import Utility
from tests.fakes.sandbox import free_port, sandbox

pytestmark = pytest.mark.contract

System = tuple[str, Utility]


@pytest_asyncio.fixture(loop_scope="function")
async def system() -> AsyncIterator[System]:
    async with sandbox(size=2000, user="porchlight", password="secret") as served:
        yield served


def client(url: str, **more: Any) -> MultiSpeakOms:
    options: dict[str, Any] = {"user": "porchlight", "password": "secret", "budget_seconds": 5.0} | more
    return MultiSpeakOms(f"{url}/multispeak/oms?wsdl", **options)


@pytest_asyncio.fixture(loop_scope="function")
async def oms(system: System) -> AsyncIterator[MultiSpeakOms]:
    made = client(system[0])
    yield made
    await made.aclose()


def points(utility: Utility) -> dict[str, str]:
    return {one["key"]: one["service_point_id"] for one in utility.demo_customers() if one["service_point_id"]}


def report(**fields: Any) -> TroubleReport:
    values = {"report_id": "r-1", "kind": "outage", "occurred_at": datetime(2026, 1, 20, 12, tzinfo=UTC)} | fields
    return TroubleReport(**values)


async def test_a_place_in_an_outage_is_told_with_crew_and_time(oms: MultiSpeakOms, system: System) -> None:
    answer = await oms.location_event(Location(points(system[1])["crew_etr"]))
    assert (answer.status, answer.crew, answer.etr_class) == (
        OutageStatus.CONFIRMED, CrewStatus.EN_ROUTE, EtrClass.CREW
    )  # fmt: skip
    assert answer.etr is not None
    assert answer.etr > datetime.now(UTC)


async def test_each_state_of_a_place_is_understood(oms: MultiSpeakOms, system: System) -> None:
    known = points(system[1])
    expired = await oms.location_event(Location(known["expired_etr"]))
    withdrawn = await oms.location_event(Location(known["withdrawn_etr"]))
    planned = await oms.location_event(Location(known["planned"]))
    stranger = await oms.location_event(Location("SP999999"))
    assert expired.etr_class is EtrClass.EXPIRED
    assert (withdrawn.etr_withdrawn, withdrawn.crew) == (True, CrewStatus.SUSPENDED)
    assert planned.status is OutageStatus.SCHEDULED
    assert (stranger.found, stranger.status) == (False, OutageStatus.UNKNOWN)
    assert await oms.location_status(Location(known["crew_etr"])) is OutageStatus.CONFIRMED


async def test_all_pages_of_active_outages_are_read(oms: MultiSpeakOms, system: System) -> None:
    system[1].start_storm(customers=1500, seed=3, speed=1.0, head_start_minutes=600)
    expected = {outage.id for outage in system[1].outages.active()}
    events = await oms.active_outages()
    assert {event.outage_id for event in events} == expected
    assert all(event.outage is not None for event in events)


async def test_more_outages_than_one_page_are_all_read(
    oms: MultiSpeakOms, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("integrations.sandbox.multispeak.BLOCK", 2)
    assert len(await oms.active_outages()) == len(system[1].outages.active()) > 6


async def test_the_customers_of_an_outage_and_the_outage_itself_are_read(oms: MultiSpeakOms, system: System) -> None:
    first = (await oms.active_outages())[0]
    members = await oms.affected(first.outage_id)
    again = await oms.outage(first.outage_id)
    assert len(members.service_points) == len(system[1].outages.by_id[first.outage_id].members) > 0
    assert again is not None
    assert again.outage == first.outage
    with pytest.raises(OmsRejected):
        await oms.outage("nothing like it")


async def test_health_and_methods_answer(oms: MultiSpeakOms) -> None:
    await oms.ping()
    assert "CHEventNotification" in await oms.methods()


async def test_a_report_sent_twice_is_one_ticket(oms: MultiSpeakOms, system: System) -> None:
    point = system[1].territory.service_point(1500).id
    mine = report(
        service_point_id=point, phone="+15555550142", note="dark \x00 <all> & \ud83d quiet", priority="Urgent"
    )
    await oms.report(mine, object_id_of("r-1"))
    await oms.report(mine, object_id_of("r-1"))
    (call,) = system[1].tickets.calls.values()
    assert (call.service_location, call.phone, call.priority, call.received) == (point, "5555550142", "Urgent", 2)
    assert call.description.startswith("dark")


async def test_an_address_that_nobody_knows_reaches_the_dispatcher(oms: MultiSpeakOms, system: System) -> None:
    await oms.report(report(kind="downed_wire", address="12 Nowhere Lane, by the pier"), object_id_of("r-2"))
    (call,) = system[1].tickets.calls.values()
    assert call.address == "12 Nowhere Lane, by the pier"
    assert call.event_time.startswith("2026-01-20T07:00")


async def test_an_error_object_inside_a_200_is_a_refusal(oms: MultiSpeakOms) -> None:
    with pytest.raises(OmsRejected) as refused:
        await oms.report(report(), object_id_of("r-3"))
    assert refused.value.reason


async def test_wrong_credentials_are_a_refusal_and_never_an_answer(system: System) -> None:
    wrong = client(system[0], password="other")
    try:
        with pytest.raises((OmsRejected, OmsUnavailable)):
            await wrong.active_outages()
        with pytest.raises((OmsRejected, OmsUnavailable)):
            await wrong.location_event(Location("SP000438"))
    finally:
        await wrong.aclose()


@pytest.mark.parametrize("mode", ["dead", "half", "lost", "garbage", "error", "busy"])
async def test_broken_answers_are_unavailability_and_nothing_else(
    oms: MultiSpeakOms, system: System, mode: str
) -> None:
    await oms.ping()
    async with httpx.AsyncClient() as http:
        await http.post(f"{system[0]}/sandbox/faults", json={"system": "oms", "mode": mode})
    for call in (
        lambda: oms.location_event(Location("SP000438")),
        oms.active_outages,
        lambda: oms.report(report(service_point_id="SP000438"), "x", patient=True),
    ):
        with pytest.raises(OmsUnavailable):
            await call()


@pytest.mark.parametrize("mode", ["slow", "hang"])
async def test_a_slow_oms_costs_the_budget_and_no_more(system: System, mode: str) -> None:
    oms = client(system[0], budget_seconds=0.2)
    try:
        await oms.ping()
        async with httpx.AsyncClient() as http:
            await http.post(f"{system[0]}/sandbox/faults", json={"system": "oms", "mode": mode, "seconds": 30})
            async with asyncio.timeout(10):
                with pytest.raises(OmsUnavailable, match="slow"):
                    await oms.location_event(Location("SP000438"))
            await http.post(f"{system[0]}/sandbox/faults", json={"system": "oms", "mode": "ok"})
    finally:
        await oms.aclose()


async def test_a_dead_oms_is_left_alone_and_found_alive_without_a_customer_waiting(system: System) -> None:
    clock = [0.0]
    oms = client(system[0], breaker=CircuitBreaker(clock=lambda: clock[0]))
    url = f"{system[0]}/sandbox/faults"
    try:
        await oms.ping()
        async with httpx.AsyncClient() as http:
            await http.post(url, json={"system": "oms", "mode": "dead"})
            for _ in range(3):
                with pytest.raises(OmsUnavailable, match="no connection"):
                    await oms.location_event(Location("SP000438"))
            with pytest.raises(OmsUnavailable, match="left alone"):
                await oms.location_event(Location("SP000438"))
            await http.post(url, json={"system": "oms", "mode": "ok"})
        clock[0] = 6.0
        with pytest.raises(OmsUnavailable, match="left alone"):
            await oms.location_event(Location("SP000438"))
        await asyncio.gather(*oms._background)
        assert oms.available
        assert (await oms.location_event(Location("SP000438"))).found
    finally:
        await oms.aclose()


async def test_an_oms_that_was_never_reached_costs_nothing_after_the_first_failures() -> None:
    oms = client(f"http://127.0.0.1:{free_port()}")
    try:
        for reason in ("WSDL", "WSDL", "WSDL", "left alone"):
            with pytest.raises(OmsUnavailable, match=reason):
                await oms.location_event(Location("SP000438"))
    finally:
        await oms.aclose()


async def test_a_kept_wsdl_lets_a_client_start_while_the_oms_is_away(system: System, tmp_path: Path) -> None:
    first = client(system[0], kept=tmp_path)
    await first.ping()
    await first.aclose()
    async with httpx.AsyncClient() as http:
        await http.post(f"{system[0]}/sandbox/faults", json={"system": "oms", "mode": "dead", "times": 1})
    second = client(system[0], kept=tmp_path)
    try:
        await second.ping()
    finally:
        await second.aclose()


async def test_loading_the_wsdl_does_not_hold_the_event_loop(system: System) -> None:
    oms = client(system[0])
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0)

    ticker = asyncio.create_task(tick())
    try:
        await oms.ping()
        assert ticks > 10
    finally:
        ticker.cancel()
        await oms.aclose()


async def test_fifty_customers_at_once_load_the_wsdl_once_and_all_get_an_answer(
    oms: MultiSpeakOms, system: System
) -> None:
    answers = await asyncio.gather(
        *(oms.location_event(Location(point)) for point in list(points(system[1]).values()) * 5)
    )
    assert all(answer.found for answer in answers)


def test_the_sandboxs_own_process_speaks_to_our_client(tmp_path: Path) -> None:
    port = free_port()
    environment = os.environ | {
        "SANDBOX_PORT": str(port), "SANDBOX_SERVICE_POINTS": "500", "PORT": str(free_port()), "RUN_DIR": str(tmp_path),
    }  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "integrations.sandbox"], env=environment, stderr=subprocess.DEVNULL
    )

    async def talk() -> int:
        oms = client(f"http://127.0.0.1:{port}", password="", breaker=CircuitBreaker(failures=100_000))
        try:
            async with asyncio.timeout(60):
                while True:
                    assert process.poll() is None
                    try:
                        return len(await oms.active_outages())
                    except OmsUnavailable:
                        await asyncio.sleep(0.1)
        finally:
            await oms.aclose()

    try:
        assert asyncio.run(talk()) > 0
    finally:
        process.terminate()
        process.wait(20)
