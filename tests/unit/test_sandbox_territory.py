"""The fictional service area."""

from __future__ import annotations

import re

import numpy as np
import phonenumbers
import pytest

from integrations.sandbox.demo import DEMO, demo_overrides
from integrations.sandbox.lookup import Directory
from integrations.sandbox.territory import Device, Level, Territory, luhn_digits

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def territory() -> Territory:
    return Territory(20240927, 50_000, demo_overrides(50_000))


@pytest.fixture(scope="module")
def directory(territory: Territory) -> Directory:
    return Directory(territory)


def test_every_service_point_has_an_address_of_its_own(territory: Territory) -> None:
    points = [territory.service_point(row) for row in range(territory.size)]
    assert len({(point.address, point.unit) for point in points}) == territory.size
    assert len({point.id for point in points}) == territory.size
    assert len({point.meter_id for point in points}) == territory.size


def test_account_numbers_are_unique_and_carry_a_check_digit(territory: Territory) -> None:
    accounts = territory.account
    assert len(np.unique(accounts)) == territory.size
    assert accounts.min() >= 10**9 and accounts.max() < 10**10
    assert (luhn_digits(accounts // 10, 9) == accounts % 10).all()
    assert int(luhn_digits(np.array([7992739871]), 10)[0]) == 3  # the example of the Luhn algorithm


def test_phones_are_fictional_and_belong_to_one_customer(territory: Territory) -> None:
    phones = [f"+{phone}" for phone in territory.phone.tolist() if phone]
    assert len(set(phones)) == len(phones)
    assert all(re.fullmatch(r"\+1[2-9]\d\d55501\d\d", phone) for phone in phones)
    assert all(phonenumbers.is_possible_number(phonenumbers.parse(phone)) for phone in phones[:500])


def test_the_same_seed_gives_the_same_people_and_another_seed_others() -> None:
    one, two, other = (Territory(seed, 3000) for seed in (5, 5, 6))
    assert [one.service_point(row) for row in range(3000)] == [two.service_point(row) for row in range(3000)]
    assert one.service_point(1234) != other.service_point(1234)


def test_a_million_service_points_and_a_hundred_can_be_made() -> None:
    large = Territory(1, 1_000_000)
    assert large.size == 1_000_000 and len(np.unique(large.account)) == 1_000_000
    small = Territory(1, 100, demo_overrides(100))
    assert small.service_point(99).id == "SP000100"
    assert len(demo_overrides(100)) == sum(len(customer.premises) for customer in DEMO)


def test_what_a_device_feeds_lies_within_what_its_upstream_device_feeds(territory: Territory) -> None:
    for row in (0, 777, 31_415, 49_999):
        inner: set[int] = {row}
        for level in (Level.TRANSFORMER, Level.SECTION, Level.FEEDER, Level.SUBSTATION):
            outer = set(territory.rows(territory.device_of(row, level)).tolist())
            assert inner <= outer
            inner = outer


def test_the_devices_of_a_level_feed_every_service_point_once(territory: Territory) -> None:
    for level in (Level.TRANSFORMER, Level.SECTION, Level.FEEDER, Level.SUBSTATION):
        fed = [territory.rows(Device(level, index)) for index in range(territory.device_count(level))]
        assert np.array_equal(np.concatenate(fed), np.arange(territory.size))


def test_the_customers_of_a_transformer_are_neighbours(territory: Territory) -> None:
    rows = territory.rows(Device(Level.TRANSFORMER, 3000))
    assert np.ptp(territory.lat[rows]) * 111_320 < 150 and np.ptp(territory.lon[rows]) * 79_260 < 150


def test_a_phone_finds_the_premises_of_its_customer_however_it_is_written(directory: Directory) -> None:
    for text in ("+12075550107", "(207) 555-0107", "1-207-555-0107"):
        found = directory.by_phone(text)
        assert [point.nickname for point in found] == ["House", "Barn"]
    assert directory.by_phone("+12075550199") == []
    assert directory.by_phone("not a number") == []


def test_some_generated_customers_have_two_premises_and_are_found_by_one_number(
    territory: Territory, directory: Directory
) -> None:
    owners, counts = np.unique(territory.customer, return_counts=True)
    owner = int(owners[np.argmax(counts)])
    point = territory.service_point(owner)
    found = directory.by_phone(point.phones[0])
    assert len(found) == counts.max() >= 2
    assert {one.customer_id for one in found} == {point.customer_id}


def test_account_meter_and_id_find_their_service_point_and_nonsense_finds_nothing(
    territory: Territory, directory: Directory
) -> None:
    point = territory.service_point(12_345)
    assert directory.by_account(point.account_number) == [point]
    assert directory.by_meter(point.meter_id) == point
    assert directory.by_id(point.id.lower()) == point
    assert directory.by_account("123") == [] and directory.by_account(point.account_number[:-1] + "x") == []
    assert directory.by_id("SP999999") is None and directory.by_id("'; drop table") is None
    assert directory.by_meter("JB39999999") is None


@pytest.mark.parametrize("said", ["14 lantern ln", "14 Lantern Lane, Juniper Bay", "14 lanturn lane", "14 LANTERN"])
def test_an_address_is_found_as_customers_write_it(directory: Directory, said: str) -> None:
    (best, score), *_ = directory.by_address(said)
    assert best.address == "14 Lantern Lane, Juniper Bay"
    assert score > 85


def test_a_wrong_house_number_does_not_find_somebody_elses_house(directory: Directory) -> None:
    assert all(point.number == 15 for point, _ in directory.by_address("15 lantern lane"))
    assert directory.by_address("") == [] and directory.by_address("🙂") == []


def test_a_flat_is_found_by_its_unit(territory: Territory, directory: Directory) -> None:
    row = next(row for row in range(20_000, territory.size) if territory.unit[row] == 3)
    point = territory.service_point(row)
    (best, _), *_ = directory.by_address(f"{point.address} apt 3")
    assert best == point
