"""The CIS client against the simulated CIS."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from integrations.cis.client import CisClient, CisUnavailable
from integrations.sandbox.utility import Utility
from tests.fakes.sandbox import sandbox

pytestmark = pytest.mark.contract

Served = tuple[str, Utility, CisClient]


@pytest_asyncio.fixture(loop_scope="function")
async def served() -> AsyncIterator[Served]:
    async with sandbox(size=2000, cis_token="t") as (url, utility):
        cis = CisClient(f"{url}/cis", token="t", budget_seconds=5.0)
        yield url, utility, cis
        await cis.aclose()


async def test_customers_are_found_by_phone_account_and_id(served: Served) -> None:
    _, utility, cis = served
    customer = next(one for one in utility.demo_customers() if one["key"] == "crew_etr")
    (by_phone,) = await cis.find_by_phone("(207) 555-0101")
    (by_account,) = await cis.find_by_account(" ".join(customer["account_number"]))
    by_id = await cis.get_premise(customer["service_point_id"])
    assert by_phone == by_account == by_id
    assert by_phone.customer_name == customer["name"]
    assert await cis.get_premise("SP999999") is None
    assert await cis.find_by_phone("+15555550199") == []


async def test_a_customer_with_two_premises_has_both(served: Served) -> None:
    customer = next(one for one in served[1].demo_customers() if one["key"] == "two_premises")
    premises = await served[2].find_by_phone(customer["phone"])
    assert len(premises) == 2
    assert len({premise.label for premise in premises}) == 2
    assert len({premise.customer_id for premise in premises}) == 1


async def test_any_address_is_found_by_its_own_words_and_by_worse_ones(served: Served) -> None:
    _, utility, cis = served
    for row in range(0, 2000, 97):
        point = utility.territory.service_point(row)
        found = await cis.find_by_address(f"{point.address} {point.unit or ''}")
        assert point.id in [premise.service_point_id for premise, score in found if score >= 85]
    found = await cis.find_by_address("14 lantren ln")
    assert (found[0][0].address, found[0][1] >= 80) == ("14 Lantern Lane, Juniper Bay", True)


async def test_a_wrong_token_and_a_broken_cis_are_unavailability(served: Served) -> None:
    url, _, cis = served
    other = CisClient(f"{url}/cis", token="wrong", budget_seconds=5.0)
    with pytest.raises(CisUnavailable):
        await other.get_premise("SP000438")
    await other.aclose()
    async with httpx.AsyncClient() as http:
        for mode in ("dead", "half", "garbage"):
            await http.post(f"{url}/sandbox/faults", json={"system": "cis", "mode": mode})
            with pytest.raises(CisUnavailable):
                await cis.find_by_account("6194344088")


async def test_a_slow_cis_costs_its_budget(served: Served) -> None:
    async with httpx.AsyncClient() as http:
        await http.post(f"{served[0]}/sandbox/faults", json={"system": "cis", "mode": "slow", "seconds": 60})
    with pytest.raises(CisUnavailable, match="slow"):
        await served[2].find_by_phone("+12075550101", budget=0.1)
