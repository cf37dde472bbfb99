"""The CIS client's memory and its limits, against a server that misbehaves."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from integrations.base.breaker import CircuitBreaker
from integrations.cis.client import CisClient, CisUnavailable

pytestmark = pytest.mark.unit

POINT = {
    "service_point_id": "SP1", "account_number": 6194344088, "meter_id": "M1", "address": "14 Lantern Lane",
    "unit": "Apt 3", "lat": 44.6, "lon": -67.9, "life_support": True, "service_status": "disconnected_non_payment",
    "customer": {"customer_id": "C1", "name": "Rosa Delgado", "phones": ["+12075550101"]},
}  # fmt: skip


class Server:
    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.answer: Any = {"service_points": [POINT]}
        self.status = 200
        self.error: Exception | None = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self.error:
            raise self.error
        if isinstance(self.answer, bytes):
            return httpx.Response(self.status, content=self.answer)
        return httpx.Response(self.status, json=self.answer)


def make(server: Server, clock: list[float], **more: Any) -> CisClient:
    http = httpx.AsyncClient(transport=httpx.MockTransport(server))
    breaker = CircuitBreaker(clock=lambda: clock[0])
    return CisClient("http://cis.example.com/cis", http=http, monotonic=lambda: clock[0], breaker=breaker, **more)


async def test_a_premise_is_read_with_its_customer() -> None:
    server = Server()
    (premise,) = await make(server, [0.0], token="t").find_by_phone("(207) 555-0101")
    assert server.requests[0].url.params["phone"] == "+12075550101"
    assert server.requests[0].headers["authorization"] == "Bearer t"
    assert (premise.service_point_id, premise.account_number) == ("SP1", "6194344088")
    assert (premise.life_support, premise.non_pay, premise.label) == (True, True, "14 Lantern Lane, Apt 3")
    assert premise.customer.phones == ("+12075550101",)
    assert "Rosa" not in repr(premise)
    assert "Lantern" not in repr(premise)


async def test_an_answer_is_remembered_and_its_age_is_known() -> None:
    server, clock = Server(), [0.0]
    cis = make(server, clock, fresh_seconds=60, stale_seconds=600)
    first = await cis.ask("id", "SP1")
    clock[0] = 59
    again = await cis.ask("id", "SP1")
    assert (len(server.requests), again.from_memory, again.as_of) == (1, True, first.as_of)
    clock[0] = 61
    server.error = httpx.ConnectError("refused")
    assert (await cis.ask("id", "SP1")).as_of == first.as_of
    clock[0] = 700
    with pytest.raises(CisUnavailable):
        await cis.ask("id", "SP1")


@pytest.mark.parametrize(
    "answer", [b"", b"<html>", b'{"service_points":', b"[]", {"service_points": [{"address": "x"}]}, {"other": []}]
)
async def test_half_and_garbled_answers_are_unavailability(answer: Any) -> None:
    server = Server()
    server.answer = answer
    with pytest.raises(CisUnavailable):
        await make(server, [0.0]).get_premise("SP1")


async def test_a_dead_cis_is_left_alone_after_three_failures_and_tried_again() -> None:
    server, clock = Server(), [0.0]
    cis = make(server, clock)
    server.status = 500
    for _ in range(6):
        with pytest.raises(CisUnavailable):
            await cis.get_premise("SP1")
    assert len(server.requests) == 3
    server.status, clock[0] = 200, 6.0
    assert await cis.get_premise("SP1") is not None


async def test_nothing_is_asked_for_what_can_be_no_number_or_address() -> None:
    server = Server()
    cis = make(server, [0.0])
    assert await cis.find_by_phone("anonymous") == []
    assert await cis.find_by_account("what account") == []
    assert await cis.find_by_address("  1234 ") == []
    assert await cis.get_premise("") is None
    assert server.requests == []


async def test_candidates_are_ranked_here() -> None:
    server = Server()
    server.answer = {
        "service_points": [
            POINT | {"service_point_id": "SP2", "address": "16 Lantern Lane, Juniper Bay", "unit": None, "score": 99},
            POINT | {"address": "14 Lantern Lane, Juniper Bay", "unit": None, "score": 1},
        ]
    }
    found = await make(server, [0.0]).find_by_address("14 Lantern Ln", limit=1)
    assert [premise.service_point_id for premise, _ in found] == ["SP1"]
