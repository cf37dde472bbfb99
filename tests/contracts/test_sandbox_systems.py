"""The rest of the simulated utility: customers, pushes, faults, switches."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request, Response

from integrations.sandbox import soap
from integrations.sandbox.utility import Utility
from tests.fakes.sandbox import sandbox, serve

pytestmark = pytest.mark.contract

LOOK_UP = {"phone": "+12075550101"}


class House:
    def __init__(self, http: httpx.AsyncClient, utility: Utility) -> None:
        self.http, self.utility = http, utility

    async def post(self, path: str, **body: Any) -> Any:
        answer = await self.http.post(f"/sandbox/{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json()

    async def get(self, path: str, **parameters: Any) -> Any:
        return (await self.http.get(path, params=parameters)).json()

    def demo(self, key: str) -> dict[str, Any]:
        return next(one for one in self.utility.demo_customers() if one["key"] == key)


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with sandbox(ticking=False) as (url, utility), httpx.AsyncClient(base_url=url, timeout=20) as http:
        yield House(http, utility)


# customers


async def test_a_customer_is_found_by_phone_account_id_and_address(house: House) -> None:
    rosa = house.demo("crew_etr")
    for asked in (
        LOOK_UP, {"account": rosa["account_number"]}, {"id": rosa["service_point_id"]}, {"address": "14 lantern ln"},
    ):  # fmt: skip
        found = (await house.get("/cis/service-points", **asked))["service_points"][0]
        assert found["service_point_id"] == rosa["service_point_id"]
        assert found["customer"] == {"customer_id": found["customer"]["customer_id"], "name": "Rosa Delgado",
                                     "phones": ["+12075550101"]}  # fmt: skip
    assert (await house.get("/cis/service-points", phone="+12075550199"))["service_points"] == []
    assert (await house.http.get("/cis/service-points")).status_code == 400


async def test_a_customer_with_two_premises_has_both_with_their_nicknames(house: House) -> None:
    found = (await house.get("/cis/service-points", phone="+12075550107"))["service_points"]
    assert [one["nickname"] for one in found] == ["House", "Barn"]
    assert len({one["account_number"] for one in found}) == 2


async def test_a_token_is_asked_for_when_there_is_one() -> None:
    async with sandbox(size=200, cis_token="open sesame") as (url, _), httpx.AsyncClient(base_url=url) as http:
        assert (await http.get("/cis/service-points", params=LOOK_UP)).status_code == 401
        headers = {"Authorization": "Bearer open sesame"}
        assert (await http.get("/cis/service-points", params=LOOK_UP, headers=headers)).status_code == 200


# pushes


class Subscriber:
    """Takes notifications, after refusing some."""

    def __init__(self, refusals: int = 0) -> None:
        self.refusals = refusals
        self.events: dict[str, list[dict[str, str]]] = defaultdict(list)
        self.members: dict[str, set[str]] = {}
        self.changed = asyncio.Event()
        self.app = FastAPI()

        @self.app.post("/multispeak/secret")
        async def take(request: Request) -> Response:
            if self.refusals > 0:
                self.refusals -= 1
                return Response(status_code=503)
            call = soap.parse(await request.body())
            if call.operation == "OutageEventChangedNotification":
                for event in soap.child(call.body, "oEvents") or ():
                    self.events[event.attrib["objectID"]].append(
                        {"status": soap.text(event, "outageStatus"), "verb": event.attrib["verb"],
                         "replaces": event.attrib.get("replaceID", "")}
                    )  # fmt: skip
            else:
                for one in soap.child(call.body, "newOutages") or ():
                    listed = soap.child(one, "affectedMeters")
                    points = {soap.text(meter, "servLoc") for meter in listed} if listed is not None else set()
                    self.members[soap.text(one, "outageEventID")] = points
            self.changed.set()
            return Response(soap.envelope("<ok/>"), media_type="text/xml")

    async def until(self, true: Any) -> None:
        async with asyncio.timeout(20):
            while not true():
                self.changed.clear()
                await self.changed.wait()


async def test_changes_are_pushed_until_the_subscriber_has_taken_them(house: House) -> None:
    subscriber = Subscriber(refusals=2)
    async with serve(subscriber.app) as url:
        await house.post("subscribe", url=f"{url}/multispeak/secret")
        await house.post("subscribe", url=f"{url}/multispeak/secret")
        made = await house.post("outages", phone="+12075550106", customers=5, etr_minutes=60)
        await subscriber.until(lambda: made["id"] in subscriber.members)
        assert subscriber.events[made["id"]] == [{"status": "Confirmed", "verb": "New", "replaces": ""}]
        assert subscriber.members[made["id"]] == set(made["service_points"])
        await house.http.delete(f"/sandbox/outages/{made['id']}")
        await subscriber.until(lambda: subscriber.events[made["id"]][-1]["status"] == "Restored")
        await subscriber.until(lambda: not subscriber.members[made["id"]])
        assert (await house.get("/sandbox/subscribe"))[0]["failures"] == 2


async def test_a_subscriber_that_was_away_hears_the_newest_state_once(house: House) -> None:
    subscriber = Subscriber()
    async with serve(subscriber.app) as url:
        await house.post("faults", system="oms", mode="dead")
        await house.post("subscribe", url=f"{url}/multispeak/secret")
        made = await house.post("outages", phone="+12075550106", customers=5)
        for minutes in (60, 90, 30):
            await house.http.patch(f"/sandbox/outages/{made['id']}", json={"etr_minutes": minutes})
        assert not subscriber.events
        await house.post("faults", system="oms", mode="ok")
        await subscriber.until(lambda: made["id"] in subscriber.members)
        assert [one["verb"] for one in subscriber.events[made["id"]]] == ["New"]


async def test_a_split_is_pushed_as_a_deletion_and_new_ids_that_name_the_old(house: House) -> None:
    subscriber = Subscriber()
    async with serve(subscriber.app) as url:
        made = await house.post("outages", phone="+12075550106", customers=6)
        await house.post("subscribe", url=f"{url}/multispeak/secret")
        old = house.utility.outages.by_id[made["id"]]
        parts = house.utility.outages.replace(old, [(old.device, old.members[:3]), (old.device, old.members[3:])])
        await subscriber.until(lambda: parts[1].id in subscriber.members)
        assert subscriber.events[old.id][-1]["verb"] == "Delete"
        assert {subscriber.events[part.id][-1]["replaces"] for part in parts} == {old.id}
        assert sum(len(subscriber.members[part.id]) for part in parts) == 6


# faults


@pytest.mark.parametrize("mode", ["dead", "lost", "half"])
async def test_a_broken_connection_is_broken_and_mends(house: House, mode: str) -> None:
    await house.post("faults", system="cis", mode=mode, times=1)
    with pytest.raises(httpx.TransportError):
        await house.http.get("/cis/service-points", params=LOOK_UP)
    assert (await house.http.get("/cis/service-points", params=LOOK_UP)).status_code == 200


async def test_garbage_and_errors_come_as_asked_and_only_from_the_system_named(house: House) -> None:
    await house.post("faults", system="gis", mode="garbage")
    answer = await house.http.get("/arcgis/rest/services/outages/FeatureServer/1/query", params={"f": "json"})
    assert answer.status_code == 200
    with pytest.raises(ValueError):
        answer.json()
    await house.post("faults", system="oms", mode="error")
    assert (await house.http.post("/multispeak/oms", content=b"x")).status_code == 500
    assert (await house.http.get("/cis/service-points", params=LOOK_UP)).status_code == 200
    assert (await house.get("/sandbox/faults"))["gis"]["mode"] == "garbage"


async def test_a_system_that_hangs_answers_nothing_and_a_slow_one_answers_late(house: House) -> None:
    await house.post("faults", system="cis", mode="hang", times=1)
    with pytest.raises(httpx.ReadTimeout):
        await house.http.get("/cis/service-points", params=LOOK_UP, timeout=0.3)
    await house.post("faults", system="cis", mode="slow", seconds=0.5, times=1)
    with pytest.raises(httpx.ReadTimeout):
        await house.http.get("/cis/service-points", params=LOOK_UP, timeout=0.1)
    await house.post("faults", system="cis", mode="slow", seconds=0.01)
    assert (await house.http.get("/cis/service-points", params=LOOK_UP)).status_code == 200


# switches


async def test_an_outage_can_be_made_changed_and_ended(house: House) -> None:
    point = house.demo("no_outage")["service_point_id"]
    made = await house.post(
        "outages", service_point_id=point, customers=12, etr_minutes=45, etr_class="STATISTICAL", crew="ON_SITE",
        cause="a tree on the lines",
    )  # fmt: skip
    assert made["customers_out"] == 12 and point in made["service_points"] and made["crew"] == "ON_SITE"
    path = f"/sandbox/outages/{made['id']}"
    withdrawn = (await house.http.patch(path, json={"etr_minutes": None, "crew": "SUSPENDED"})).json()
    assert withdrawn["etr"] is None and withdrawn["etr_withdrawn"] and withdrawn["etr_class"] == "ASSESSING"
    smaller = (await house.http.patch(path, json={"customers": 4})).json()
    assert smaller["customers_out"] == 4 and smaller["customers_restored"] == 8
    assert (await house.http.patch(path, json={"hidden": True})).json()["active"] is False
    assert house.demo("no_outage")["premises"][0]["outage_status"] in ("NoOutage", "Restored")
    ended = (await house.http.delete(path)).json()
    assert ended["status"] == "Restored" and ended["customers_out"] == 0


async def test_a_new_outage_takes_its_service_points_out_of_the_old_one(house: House) -> None:
    rosa = house.demo("crew_etr")
    made = await house.post("outages", phone=rosa["phone"], etr_minutes=-10)
    now = house.demo("crew_etr")["premises"][0]
    assert now["outage_id"] == made["id"] != rosa["premises"][0]["outage_id"] and now["etr_class"] == "EXPIRED"


async def test_planned_work_and_a_caller_whose_number_is_not_on_file_can_be_set(house: House) -> None:
    made = await house.post("outages", phone="+12075550106", planned=True, starts_in_minutes=90)
    assert made["status"] == "Scheduled" and made["planned"] and made["etr"] > made["started_at"]
    sam = await house.post("outages", phone="+12075550111")
    assert house.demo("unknown_number")["premises"][0]["outage_id"] == sam["id"]


async def test_nonsense_is_refused(house: House) -> None:
    for path, body in (
        ("outages", {"phone": "+12075550199"}), ("outages", {}), ("outages", {"phone": "+12075550106", "crew": "LOST"}),
        ("storm", {"customers": 0}), ("storm", {"speed": 0}), ("faults", {"system": "moon", "mode": "ok"}),
        ("subscribe", {"url": "file:///etc/passwd"}), ("texts", {"from": "me", "body": "x"}),
    ):  # fmt: skip
        assert (await house.http.post(f"/sandbox/{path}", json=body)).status_code in (404, 422)
    assert (await house.http.patch("/sandbox/outages/none", json={})).status_code == 404


async def test_a_storm_starts_stops_and_everything_can_be_reset(house: House) -> None:
    before = await house.get("/sandbox/state")
    storm = await house.post("storm", customers=1000, seed=5, speed=60)
    assert storm["storm"] and storm["customers_out"] > before["customers_out"]
    calm = (await house.http.delete("/sandbox/storm")).json()
    assert not calm["storm"] and calm["customers_out"] == before["customers_out"]
    await house.post("faults", system="cis", mode="dead")
    await house.post("storm", customers=1000, seed=5)
    assert await house.post("reset") == before
    assert (await house.http.get("/cis/service-points", params=LOOK_UP)).status_code == 200
