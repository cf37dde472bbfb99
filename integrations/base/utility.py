"""The utility's own facts: names, numbers and hours that customers hear. Designers keep them in `data/utility.yml`."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

from integrations.base.settings import ROOT

FILE = ROOT / "data" / "utility.yml"


class Utility(BaseModel):
    """What `data/utility.yml` says. Numbers are written as customers dial them."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    utility: str
    human_phone: str
    human_hours: str = ""
    emergency_phone: str
    timezone: str = "America/New_York"

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
