"""The utility's own facts: names, numbers and hours that customers hear. Designers keep them in `data/utility.yml`."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, field_validator

from integrations.base.settings import ROOT

FILE = ROOT / "data" / "utility.yml"


class AccountNumberFormat(BaseModel):
    """What this utility's account numbers look like.

    Attributes:
        digits: how many they have; several where old and new ones live side by side.
        check: how the last digit follows from the others: "luhn" (ISO/IEC 7812), or none.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    digits: tuple[Annotated[int, Field(ge=4, le=20)], ...] = Field((10,), min_length=1)
    check: Literal["luhn"] | None = None

    @field_validator("digits", mode="before")
    @classmethod
    def _several(cls, value: object) -> object:
        return (value,) if isinstance(value, int) else value

    @property
    def lengths(self) -> tuple[int, ...]:
        """How many digits a number may have."""
        return self.digits

    def fits(self, number: str) -> bool:
        """Whether a string of digits can be an account number."""
        if len(number) not in self.digits or not (number.isascii() and number.isdigit()):
            return False
        return self.check is None or _luhn(number)


def _luhn(number: str) -> bool:
    # Doubled, and the digits of the double added; by a table, because whole lists of candidates are checked in a turn.
    plain, doubled = number[::-2], number[-2::-2].translate(_TWICE)
    return sum(map(int, plain + doubled)) % 10 == 0


_TWICE = str.maketrans("0123456789", "0246813579")


class Utility(BaseModel):
    """What `data/utility.yml` says. Numbers are written as customers dial them."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    utility: str
    human_phone: str
    human_hours: str = ""
    emergency_phone: str
    timezone: str = "America/New_York"
    account_number: AccountNumberFormat = AccountNumberFormat()

    @classmethod
    def load(cls, file: Path = FILE) -> Utility:
        """Read the file.

        Raises:
            OSError: it is missing.
            pydantic.ValidationError: something in it is.
        """
        return cls.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))


@lru_cache(maxsize=1)
def get_utility() -> Utility:
    """The facts, read once a process."""
    return Utility.load()
