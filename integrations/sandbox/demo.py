"""The customers made by hand, each in a situation that a customer can be in.

Their phones are +1 207 555 01xx, their addresses are in the first town, on streets that no generated customer has.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from .territory import PER_TRANSFORMER, SUBSTATION, Override


@dataclass(frozen=True, slots=True)
class DemoCustomer:
    """A customer made by hand. ``phone`` is what they call from; ``on_file`` what the CIS knows, if different."""

    key: str
    name: str
    phone: str
    premises: tuple[Override, ...]
    situation: str


def _home(name: str, phone: str | None, number: int, street: str, **more: object) -> Override:
    return Override(name=name, phone=phone, number=number, street=street, **more)  # type: ignore[arg-type]


def _customer(key: str, name: str, last: int, number: int, street: str, situation: str, **more: object) -> DemoCustomer:
    phone = f"+120755501{last:02d}"
    return DemoCustomer(key, name, phone, (_home(name, phone, number, street, **more),), situation)


DEMO: tuple[DemoCustomer, ...] = (
    _customer(
        "crew_etr", "Rosa Delgado", 1, 14, "Lantern Lane",
        "In a confirmed outage (a tree on the lines); a crew is on the way and has given a restoration time.",
    ),
    _customer(
        "no_etr", "Winston Okafor", 2, 27, "Tidewater Street",
        "In a confirmed outage that has no restoration time and no crew yet.",
    ),
    _customer(
        "expired_etr", "Mei Tanaka", 3, 9, "Cooper's Wharf Road",
        "In an outage whose restoration time has passed.",
    ),
    _customer(
        "still_out", "Gus Lindqvist", 4, 52, "Signal Hill Road",
        "The utility says that the power is back; it is not.",
    ),
    _customer(
        "area_etr", "Priya Raman", 5, 118, "Chandlery Street",
        "In a large outage; the restoration time is the one for the whole area.",
    ),
    _customer(
        "no_outage", "Hank Boudreau", 6, 3, "Kettle Pond Road",
        "No outage is known at this address.",
    ),
    DemoCustomer(
        "two_premises", "Ada Whitfield", "+12075550107",
        (
            _home("Ada Whitfield", "+12075550107", 240, "Orchard Ledge Road", nickname="House"),
            _home("Ada Whitfield", "+12075550107", 266, "Orchard Ledge Road", nickname="Barn"),
        ),
        "Two premises, House and Barn; only the Barn is out.",
    ),
    _customer(
        "planned", "Tomasz Zielinski", 8, 31, "Ropewalk Way",
        "Power is on; planned work is announced for tomorrow morning.",
    ),
    _customer(
        "non_pay", "Bernadette Cole", 9, 76, "Gullwing Avenue",
        "Disconnected for non-payment; that is not an outage.", non_pay=True,
    ),
    _customer(
        "life_support", "Eleanor Marsh", 10, 8, "Lighthouse Court",
        "On the life-support list and in a confirmed outage with a usual-time estimate.", life_support=True,
    ),
    DemoCustomer(
        "unknown_number", "Sam Pettigrew", "+12075550111",
        (_home("Sam Pettigrew", "+12075550161", 45, "Bellbuoy Street"),),
        "Calls from a number that is not on file; in an outage that is being assessed.",
    ),
    _customer(
        "partial", "Nadia Haddad", 12, 19, "Weathervane Drive",
        "Half of the house has power; the utility knows of no outage.",
    ),
    _customer(
        "withdrawn_etr", "Seun Adeyemi", 13, 60, "Netmenders Row",
        "In an outage whose restoration time was withdrawn; the crew has been suspended.",
    ),
)  # fmt: skip


def demo_rows(size: int) -> dict[str, list[int]]:
    """Which service points the hand-made customers have, far from each other, all in the first town.

    Args:
        size: service points in all; at least 30 give each premise a row of its own.
    """
    premises = sum(len(customer.premises) for customer in DEMO)
    town = min(size, int(SUBSTATION * PER_TRANSFORMER * 0.95))
    step = town / (premises + 1)
    rows: dict[str, list[int]] = {}
    place = 0
    for customer in DEMO:
        rows[customer.key] = []
        for _ in customer.premises:
            place += 1
            rows[customer.key].append(int(place * step))
    return rows


def demo_overrides(size: int) -> dict[int, Override]:
    """What the territory shall have at the rows of the hand-made customers."""
    overrides: dict[int, Override] = {}
    for key, rows in demo_rows(size).items():
        customer = next(one for one in DEMO if one.key == key)
        for row, premise in zip(rows, customer.premises, strict=True):
            overrides[row] = replace(premise, customer_row=rows[0])
    return overrides
