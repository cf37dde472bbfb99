"""What designers keep in `data/voice/`: read once at start-up, and refused with a reason when something is wrong.

Each file is a model here. Cross-references (a ladder that names a sentence) are checked too, so that a call never finds
out what a designer mistyped.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from integrations.base.settings import ROOT
from integrations.base.utility import get_utility
from voice.protocols import Expectation, Kind

FOLDER = ROOT / "data" / "voice"
Language = Literal["en", "es"]
Sentence = dict[Language, str]
Then = Literal["", "ask_again", "read_keys", "person", "hang_up"]


class DesignError(ValueError):
    """A file of data/voice cannot be used; the message says which, where and why."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Rung(_Model):
    """A step of a ladder."""

    say: str
    then: Then = ""
    after: float = Field(0.0, ge=0, description="Seconds")


class Ladders(_Model):
    """ladder.yml."""

    silence: tuple[Rung, ...] = Field(min_length=1)
    not_understood: tuple[Rung, ...] = Field(min_length=1)
    failures: int = Field(2, ge=1)

    @model_validator(mode="after")
    def _ends(self) -> Ladders:
        for name, rungs in (("silence", self.silence), ("not_understood", self.not_understood)):
            if rungs[-1].then not in ("hang_up", "person"):
                raise ValueError(f"the last rung of {name} has to hang up or bring in a person")
        if any(rung.after <= 0 for rung in self.silence):
            raise ValueError("each rung of silence needs its seconds (after)")
        return self


class Question(_Model):
    """How a slot is answered."""

    kind: Kind
    lengths: tuple[int, ...] = ()
    read_back: bool = False

    @field_validator("lengths", mode="before")
    @classmethod
    def _of_accounts(cls, value: object) -> object:
        return get_utility().account_number.lengths if value == "account" else value


class Questions(_Model):
    """questions.yml."""

    questions: dict[str, Question]
    tries: int = Field(3, ge=1)


class EndingTimes(_Model):
    """Milliseconds of silence."""

    shortest: int = Field(ge=100)
    longest: int = Field(le=5_000)

    @model_validator(mode="after")
    def _ordered(self) -> EndingTimes:
        if self.shortest > self.longest:
            raise ValueError("shortest is longer than longest")
        return self


class Words(_Model):
    """Short utterances with a meaning of their own, by language."""

    backchannel: dict[Language, tuple[str, ...]]
    hanging: dict[Language, tuple[str, ...]]
    wait: dict[Language, tuple[str, ...]]
    affirm: dict[Language, tuple[str, ...]]
    deny: dict[Language, tuple[str, ...]]


class Turns(_Model):
    """turns.yml."""

    endings: dict[Kind, EndingTimes]
    recognise_after: int = Field(ge=60)
    finished_from: float = Field(ge=0, le=1)
    barge_in: int = Field(ge=32, le=250)
    too_short: int = Field(ge=0)
    longest_utterance: float = Field(gt=1, le=30)
    side_talk_below: float = Field(gt=0)
    words: Words
    wait_seconds: float = Field(gt=0)

    @model_validator(mode="after")
    def _whole(self) -> Turns:
        if "open" not in self.endings:
            raise ValueError("endings: open is needed; it counts where nothing else does")
        return self


class Keys(_Model):
    """keys.yml."""

    ends: str
    star: str
    back: str
    person: str
    person_command: str
    language: str
    idle_seconds: float = Field(gt=0)
    most_digits: int = Field(ge=10)


class People(_Model):
    """people.yml."""

    transfer_after: frozenset[str]
    ring_seconds: int = Field(ge=5, le=600)


class MenuItem(_Model):
    """A key of the menu."""

    key: str = Field(pattern=r"^[0-9]$")
    en: str
    es: str
    command: str = ""
    text: Sentence = Field(default_factory=dict)
    goes: Literal["", "person", "dangers"] = ""

    def says(self, language: str) -> str:
        """Its line."""
        return self.es if language == "es" else self.en


class Menu(_Model):
    """menu.yml."""

    languages: dict[Language, str]
    greeting: Sentence
    other_language: Sentence
    main: tuple[MenuItem, ...]
    dangers: tuple[MenuItem, ...]
    anything_else: Sentence
    nothing_pressed: Sentence
    wrong_key: Sentence
    number: Sentence
    press: Sentence
    connecting: Sentence
    nobody: Sentence
    failed: Sentence
    goodbye: Sentence
    tries: int = Field(ge=1)
    fallback: str
    fallback_nobody: str

    @model_validator(mode="after")
    def _person(self) -> Menu:
        for items in (self.main, self.dangers):
            if not any(item.goes == "person" for item in items):
                raise ValueError("each menu needs a key for a person")
        return self


class Jurisdiction(_Model):
    """A state's rule."""

    consent: Literal["all", "one"]
    machine: Literal["always", "asked"]
    notice: str
    source: str


class Disclosures(_Model):
    """disclosures.yml."""

    version: int
    as_of: Any
    strictest: str
    notices: dict[str, Sentence]
    jurisdictions: dict[str, Jurisdiction]

    @model_validator(mode="after")
    def _known(self) -> Disclosures:
        for name in (self.strictest, *(one.notice for one in self.jurisdictions.values())):
            if name not in self.notices:
                raise ValueError(f"there is no notice {name!r}")
        for state, rule in self.jurisdictions.items():
            if rule.consent == "all" and rule.notice != self.strictest:
                raise ValueError(f"{state}: every party has to agree, so the strictest notice is needed")
        return self

    def notice(self, *states: str) -> str:
        """The name of the notice for a call between these jurisdictions: the strictest of theirs.

        Args:
            states: two-letter codes; empty ones are left out, and without any the strictest notice counts.
        """
        given = [state for state in states if state]
        wanted = [self.jurisdictions[state].notice if state in self.jurisdictions else "" for state in given]
        order = list(self.notices)
        known = [order.index(name) if name else order.index(self.strictest) for name in wanted]
        return order[min(known)] if known else self.strictest


class Design(_Model):
    """All of data/voice."""

    prompts: dict[str, dict[Language, tuple[str, ...]]]
    disclosures: Disclosures
    ladder: Ladders
    questions: Questions
    turns: Turns
    keys: Keys
    people: People
    menu: Menu

    @model_validator(mode="after")
    def _sentences(self) -> Design:
        for rung in (*self.ladder.silence, *self.ladder.not_understood):
            if rung.say not in self.prompts:
                raise ValueError(f"ladder.yml names {rung.say!r}, which prompts.yml does not have")
        for name, texts in self.prompts.items():
            if not texts.get("en") or not texts.get("es"):
                raise ValueError(f"prompts.yml: {name} needs words in en and es")
        return self

    def expectation(self, slot: str, titles: tuple[str, ...] = ()) -> Expectation:
        """What an answer to the dialogue's open question looks like.

        Args:
            slot: that is asked for; "" for none.
            titles: of the offered choices.
        """
        question = self.questions.questions.get(slot)
        if question:
            return Expectation(question.kind, question.lengths, titles)
        return Expectation("choice" if titles else "open", (), titles)

    def times(self, kind: Kind) -> EndingTimes:
        """Of silence, for one kind of answer."""
        return self.turns.endings.get(kind, self.turns.endings["open"])


def load(folder: Path = FOLDER) -> Design:
    """Read all files.

    Raises:
        DesignError: naming the file, the place and the reason.
    """
    data: dict[str, Any] = {}
    for name in Design.model_fields:
        path = folder / f"{name}.yml"
        try:
            data[name] = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, yaml.YAMLError) as error:
            raise DesignError(f"{path}: {error}") from None
    try:
        return Design.model_validate(data)
    except ValidationError as error:
        lines = [f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}" for item in error.errors()]
        raise DesignError("data/voice cannot be used:\n  " + "\n  ".join(lines)) from None


@lru_cache(maxsize=1)
def get_design() -> Design:
    """The design, read once a process."""
    return load()
