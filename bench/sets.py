"""The sets that are measured on. The public ones are read from beside the project, and nothing of them is kept in it.

Runs on Python 3.10 and later; needs PyYAML.
"""

from __future__ import annotations

import csv
import dataclasses
import json
import os
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
PUBLIC = Path(os.environ.get("BENCH_PUBLIC_DATA", ROOT.parent / "shared" / "data")) / "utterances"
"""Where the public sets are: ``../shared/data`` seen from the project, or ``BENCH_PUBLIC_DATA``."""
OUT_OF_SCOPE = "out_of_scope"

Pair = tuple[str, str]


class SetMissing(Exception):
    """A public set is not there; the message says what was looked for."""


@dataclasses.dataclass(frozen=True)
class LabelledSet:
    """Texts and their intents. ``valid`` chooses thresholds, ``test`` is only measured."""

    name: str
    train: list[Pair]
    valid: list[Pair]
    test: list[Pair]


def own(held_back: str = "hard.yml") -> LabelledSet:
    """Our own: data/*/nlu.yml, the development set, a held-back hard set (hard.yml, hard_2.yml)."""
    train = []
    for path in sorted((ROOT / "data").glob("*/nlu.yml")):
        for block in (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("nlu") or []:
            for line in str(block["examples"]).splitlines():
                text = line.strip()[2:].strip() if line.strip().startswith("- ") else ""
                if text:
                    train.append((text, str(block["intent"])))
    return LabelledSet("own", train, _by_intent("dev.yml"), _by_intent(held_back))


def _by_intent(name: str) -> list[Pair]:
    found = yaml.safe_load((ROOT / "tests" / "nlu" / name).read_text(encoding="utf-8"))
    return [(str(text), intent) for intent, texts in found.items() for text in texts]


def clinc150() -> LabelledSet:
    """CLINC150, full, with its out-of-scope messages (Larson et al. 2019, arXiv:1909.02027)."""
    parts = json.loads(_public("clinc150_data_full.json").read_text(encoding="utf-8"))

    def pairs(*names: str) -> list[Pair]:
        return [(text, OUT_OF_SCOPE if label == "oos" else label) for name in names for text, label in parts[name]]

    return LabelledSet("clinc150", pairs("train", "oos_train"), pairs("val", "oos_val"), pairs("test", "oos_test"))


def banking77() -> LabelledSet:
    """BANKING77 (Casanueva et al. 2020, arXiv:2003.04807). It has no validation part and nothing out of scope."""

    def pairs(name: str) -> list[Pair]:
        with _public(name).open(encoding="utf-8", newline="") as file:
            return [(row["text"].replace("\n", " ").strip(), row["category"]) for row in csv.DictReader(file)]

    return LabelledSet("banking77", pairs("banking77_train.csv"), [], pairs("banking77_test.csv"))


def _public(name: str) -> Path:
    path = PUBLIC / name
    if not path.is_file():
        raise SetMissing(f"{name} is not in {os.path.relpath(PUBLIC, ROOT)}; set BENCH_PUBLIC_DATA to where it is")
    return path


SETS = {"own": own, "clinc150": clinc150, "banking77": banking77}
