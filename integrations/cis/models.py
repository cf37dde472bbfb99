"""Customers and premises, as far as outages need them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer. Phones are E.164."""

    customer_id: str
    name: str = field(repr=False)
    phones: tuple[str, ...] = field(default=(), repr=False)
    premises: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Premise:
    """A service point with the account that it is billed to.

    Attributes:
        unit: flat or suite.
        nickname: what the customer calls it ("House", "Barn").
        life_support: somebody there depends on powered medical equipment.
        non_pay: disconnected for non-payment: no outage.
        customer_id: who has it; premises with the same one belong together.
    """

    service_point_id: str
    account_number: str
    meter_id: str
    address: str = field(repr=False)
    unit: str | None = None
    nickname: str | None = None
    lat: float = 0.0
    lon: float = 0.0
    life_support: bool = False
    non_pay: bool = False
    customer_id: str = ""
    customer_name: str = field(default="", repr=False)
    phones: tuple[str, ...] = field(default=(), repr=False)

    @property
    def label(self) -> str:
        """What to call it: the customer's own word for it, else the address with its unit."""
        if self.nickname:
            return self.nickname
        return f"{self.address}, {self.unit}" if self.unit and self.unit not in self.address else self.address

    @property
    def customer(self) -> Customer:
        """Who has it."""
        return Customer(self.customer_id, self.customer_name, self.phones, (self.service_point_id,))


@dataclass(frozen=True, slots=True)
class Answer:
    """What the CIS said.

    Attributes:
        premises: best first.
        scores: 0 to 100 for each, for an address; empty otherwise.
        as_of: when the CIS said it.
        from_memory: True when it was not asked now.
    """

    premises: tuple[Premise, ...]
    as_of: datetime
    scores: tuple[float, ...] = ()
    from_memory: bool = False


class CustomerJson(BaseModel):
    """A customer on the wire."""

    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True)

    customer_id: str = ""
    name: str = ""
    phones: list[str] = Field(default_factory=list)


class ServicePointJson(BaseModel):
    """A service point on the wire."""

    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True)

    service_point_id: str = Field(min_length=1)
    account_number: str = ""
    meter_id: str = ""
    address: str = ""
    town: str = ""
    unit: str | None = None
    nickname: str | None = None
    lat: float = 0.0
    lon: float = 0.0
    life_support: bool = False
    service_status: str = "active"
    customer: CustomerJson = Field(default_factory=CustomerJson)
    score: float | None = None

    def premise(self) -> Premise:
        """As the rest of the house knows it."""
        return Premise(
            service_point_id=self.service_point_id,
            account_number=self.account_number,
            meter_id=self.meter_id,
            address=self.address,
            unit=self.unit or None,
            nickname=self.nickname or None,
            lat=self.lat,
            lon=self.lon,
            life_support=self.life_support,
            non_pay="non_pay" in self.service_status.lower().replace("-", "_"),
            customer_id=self.customer.customer_id,
            customer_name=self.customer.name,
            phones=tuple(self.customer.phones),
        )


class ServicePointsJson(BaseModel):
    """An answer on the wire."""

    model_config = ConfigDict(extra="ignore")

    service_points: list[ServicePointJson]
