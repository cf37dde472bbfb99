"""The outage board against the simulated OMS: pushes over a real Redis stream, polls, reports, storms."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI, Request, Response
from redis.asyncio import Redis

from integrations.cis.client import CisClient
from integrations.cis.models import Premise
from integrations.gis.arcgis import ArcGisLayer
from integrations.oms.board import OutageBoard
from integrations.oms.client import MultiSpeakOms
from integrations.oms.models import CrewStatus, EtrClass, OutageStatus
from integrations.oms.push import PushRejected, fault, read_push
from integrations.oms.stream import EventStream
from integrations.sandbox.utility import Utility
from tests.fakes.redis_server import RedisServer
from tests.fakes.sandbox import sandbox, serve

pytestmark = pytest.mark.contract

OPTIONS: dict[str, Any] = {"user": "porchlight", "password": "", "budget_seconds": 5.0}


@pytest.fixture(scope="module")
def redis_server() -> Iterator[RedisServer]:
    server = RedisServer()
    server.start()
    yield server
    server.close()


@pytest_asyncio.fixture(loop_scope="function")
async def redis(redis_server: RedisServer) -> AsyncIterator[Redis]:
    client = Redis.from_url(redis_server.url)
    await client.flushall()
    yield client
    await client.aclose()


@pytest_asyncio.fixture(loop_scope="function")
async def system() -> AsyncIterator[tuple[str, Utility]]:
    async with sandbox(size=2000, user="porchlight", password="") as served:
        yield served


@pytest_asyncio.fixture(loop_scope="function")
async def board(system: tuple[str, Utility], redis: Redis) -> AsyncIterator[OutageBoard]:
    made = make(system[0], redis)
    await made.start(wait_seconds=30)
    yield made
    await made.aclose()


def make(url: str, redis: Redis, poll_seconds: float = 3600.0) -> OutageBoard:
    oms = MultiSpeakOms(f"{url}/multispeak/oms?wsdl", **OPTIONS)
    layer = ArcGisLayer(f"{url}/arcgis/rest/services/outages/FeatureServer/1")
    return OutageBoard(oms, EventStream(redis), layer, poll_seconds=poll_seconds)


async def premise(system: tuple[str, Utility], key: str) -> Premise:
    cis = CisClient(f"{system[0]}/cis", budget_seconds=5.0)
    point = next(one["service_point_id"] for one in system[1].demo_customers() if one["key"] == key)
    try:
        found = await cis.get_premise(point)
        assert found is not None
        return found
    finally:
        await cis.aclose()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in another task, by way of Redis
            await asyncio.sleep(0.005)


def gateway(redis: Redis) -> FastAPI:
    """The part of the gateway that takes pushes."""
    app = FastAPI()

    @app.post("/multispeak/secret")
    async def push(request: Request) -> Response:
        try:
            taken = await asyncio.to_thread(read_push, await request.body())
        except PushRejected as error:
            return Response(fault(str(error)), 500, media_type="text/xml")
        await EventStream(redis).publish(taken.events)
        return Response(taken.answer(), media_type="text/xml")

    return app


async def test_the_first_poll_fills_the_board(board: OutageBoard, system: tuple[str, Utility]) -> None:
    house = await premise(system, "crew_etr")
    view = board.peek(house)
    assert view is not None
    assert view.outage is not None
    assert (view.status, view.source) == (OutageStatus.CONFIRMED, "board")
    assert (view.outage.etr_class, view.outage.crew) == (EtrClass.CREW, CrewStatus.EN_ROUTE)
    assert view.outage.cause == "a tree or branch on the lines"
    assert board.area_summary(house.lat, house.lon, 500).outages >= 1


async def test_what_the_oms_pushes_is_on_the_board(
    board: OutageBoard, system: tuple[str, Utility], redis: Redis
) -> None:
    house = await premise(system, "crew_etr")
    first = board.peek(house)
    assert first is not None
    assert first.outage is not None
    outage_id = first.outage.outage_id
    async with serve(gateway(redis)) as url, httpx.AsyncClient() as http:
        await http.post(f"{system[0]}/sandbox/subscribe", json={"url": f"{url}/multispeak/secret"})
        await http.patch(f"{system[0]}/sandbox/outages/{outage_id}", json={"etr_minutes": None, "etr_withdrawn": True})
        await http.patch(f"{system[0]}/sandbox/outages/{outage_id}", json={"crew": "SUSPENDED"})

        def suspended() -> bool:
            view = board.peek(house)
            return view is not None and view.outage is not None and view.outage.crew is CrewStatus.SUSPENDED

        await until(suspended)
        await http.delete(f"{system[0]}/sandbox/outages/{outage_id}")

        def restored() -> bool:
            view = board.peek(house)
            return view is not None and view.status is OutageStatus.RESTORED

        await until(restored)


async def test_an_outage_that_the_board_has_not_heard_of_is_asked_for(
    board: OutageBoard, system: tuple[str, Utility]
) -> None:
    point = system[1].territory.service_point(1200)
    async with httpx.AsyncClient() as http:
        made = await http.post(f"{system[0]}/sandbox/outages", json={"service_point_id": point.id, "customers": 5})
        assert made.status_code == 201
    view = await board.lookup(Premise(point.id, point.account_number, point.meter_id, point.address))
    assert (view.status.is_out, view.source) == (True, "live")


async def test_a_board_that_starts_while_the_oms_is_dead_knows_what_another_knew(
    board: OutageBoard, system: tuple[str, Utility], redis: Redis
) -> None:
    house = await premise(system, "area_etr")
    async with httpx.AsyncClient() as http:
        await http.post(f"{system[0]}/sandbox/faults", json={"system": "oms", "mode": "dead"})
    second = make(system[0], redis)
    await second.start(wait_seconds=10)
    try:
        assert (await second.lookup(house)).outage == (await board.lookup(house)).outage
    finally:
        await second.aclose()


async def test_a_storm_is_on_the_board_as_the_oms_has_it(board: OutageBoard, system: tuple[str, Utility]) -> None:
    utility = system[1]
    utility.start_storm(customers=1200, seed=5, speed=1.0, head_start_minutes=400)
    assert await board.refresh()
    out = [outage for outage in utility.outages.active() if outage.status != "Scheduled"]
    assert {outage.outage_id for outage in board.state.active()} >= {outage.id for outage in out}
    for outage in out:
        for row in outage.members.tolist()[:3]:
            point = utility.territory.service_point(row)
            view = board.peek(Premise(point.id, point.account_number, point.meter_id, point.address))
            assert view is not None
            assert view.status.is_out
            assert view.outage is not None
            inside = utility.outages.at(row)
            assert inside is not None
            assert (view.outage.etr is None) == (inside.etr is None or not inside.show_etr)


async def test_redis_that_comes_back_does_not_lose_pushes(
    board: OutageBoard, redis_server: RedisServer, redis: Redis, system: tuple[str, Utility]
) -> None:
    house = await premise(system, "crew_etr")
    view = board.peek(house)
    assert view is not None
    assert view.outage is not None
    outage = view.outage
    await redis_server.restart()
    events = read_push(
        (
            '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><OutageEventChangedNotification>'
            f'<oEvents><outageEvent objectID="{outage.outage_id}"><outageStatus>StillOut</outageStatus></outageEvent>'
            "</oEvents></OutageEventChangedNotification></s:Body></s:Envelope>"
        ).encode()
    ).events
    assert await EventStream(redis).publish(events) == 1

    def still_out() -> bool:
        view = board.peek(house)
        return view is not None and view.status is OutageStatus.STILL_OUT

    await until(still_out)
