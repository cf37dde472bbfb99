"""What a conversation test may say, and reading it from YAML. docs/conversation-tests.md explains it to designers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

FOLDER = Path(__file__).parent
JOURNEYS = ("outage", "safety", "billing", "payments", "moves", "service", "people", "smalltalk")
BEHAVIOURS = (
    "happy_path",
    "cancellations",
    "corrections",
    "digressions",
    "disambiguation",
    "flow_guards",
    "invalid_path",
    "invalid_user_inputs",
    "knowledge",
    "negations",
    "repeat",
    "chitchat",
)
"""What a customer does; the second folder of a test."""


class _Loader(yaml.SafeLoader):
    """YAML without its traps: yes, no, on and off are words, 0042 and 12:30 are what they look like."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}


_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:~|null|)$"), ["~", "n", ""])


class ScriptError(ValueError):
    """A conversation test that cannot be run as it is written; the text says where and why."""


def _listed(value: Any) -> Any:
    """One thing may be written without the dash of a list."""
    return value if isinstance(value, list) or value is None else [value]


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(
            f"not a pattern ({error}); put a backslash before ( ) [ ] ? * + . to mean the sign itself"
        ) from None
    return value


Names = Annotated[list[str], BeforeValidator(_listed)]
Pattern = Annotated[
    str, Field(min_length=1), BeforeValidator(lambda value: _pattern(value) if isinstance(value, str) else value)
]
Patterns = Annotated[list[Pattern], BeforeValidator(_listed)]
Channel = Literal["web", "sms", "voice"]
Channels = Annotated[list[Channel], BeforeValidator(_listed), Field(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class OutageFields(_Strict):
    """What can be said of an outage of the simulated utility (integrations/sandbox/switches.py)."""

    status: Literal["Assumed", "Confirmed", "Restored", "Scheduled", "StillOut", "Unknown"] | None = None
    customers: int | None = None
    etr_minutes: float | None = None
    etr_class: Literal["NONE", "ASSESSING", "STATISTICAL", "AREA", "CREW", "EXPIRED"] | None = None
    etr_withdrawn: bool | None = None
    show_etr: bool | None = None
    cause: str | None = None
    crew: Literal["NONE", "ASSIGNED", "EN_ROUTE", "ON_SITE", "SUSPENDED"] | None = None
    started_minutes_ago: float | None = None
    planned: bool | None = None
    starts_in_minutes: float | None = None
    planned_minutes: float | None = None


class Outage(OutageFields):
    """An outage that begins, at the customer's place unless ``place`` says otherwise."""

    place: str = "customer"


class OutageChange(OutageFields):
    """Something about the outage at a place changes."""

    place: str = "customer"
    hidden: bool | None = None


class Fault(_Strict):
    """A system that misbehaves; mode ok mends it."""

    system: Literal["oms", "cis", "gis", "twilio"]
    mode: Literal["ok", "slow", "dead", "hang", "half", "lost", "garbage", "error", "busy"]
    seconds: float | None = None
    times: int | None = None


class UtilityStep(_Strict):
    """One thing that happens in the simulated utility or to our own processes."""

    outage: Outage | None = None
    change_outage: OutageChange | None = None
    restore_outage: str | None = Field(None, description="the place where power comes back")
    fault: Fault | None = None
    restart: Literal["redis", "rasa", "actions", "gateway", "worker"] | None = None

    @model_validator(mode="after")
    def _one(self) -> UtilityStep:
        _exactly_one(self, ("outage", "change_outage", "restore_outage", "fault", "restart"))
        return self


class Step(_Strict):
    """A turn of the customer with what is expected of the answer, or something that happens between turns."""

    user: str | None = None
    press: str | None = None
    picture: str | None = None
    keys: str | None = Field(None, pattern=r"^[0-9*{}a-z_.]{1,40}$", description="pressed on the telephone's keypad")
    utility: list[UtilityStep] | None = None
    new_conversation: Literal[True] | None = None
    # how it is said
    interrupted: str | None = Field(
        None, description="what of our last words was heard when the caller spoke over them"
    )
    repeated: int = Field(1, ge=1, le=100_000, description="the text so many times in one message")
    # what is expected
    says: Names = []
    first: str | None = None
    text: Patterns = []
    never: Patterns = []
    never_says: Names = []
    buttons: list[str] | None = None
    slots: dict[str, Any] = {}
    silent: bool = False

    @field_validator("says", "never_says")
    @classmethod
    def _names(cls, value: list[str]) -> list[str]:
        for name in value:
            if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
                raise ValueError(f"{name!r} is not the name of a response; what the words must match goes under text:")
        return value

    @model_validator(mode="after")
    def _one(self) -> Step:
        _exactly_one(self, ("user", "press", "picture", "keys", "utility", "new_conversation"))
        if not self.is_turn and (self.says or self.first or self.text or self.never or self.buttons or self.silent):
            raise ValueError("expectations belong to a turn of the customer (user:, press: or keys:)")
        return self

    @property
    def is_turn(self) -> bool:
        """Whether the customer does something here."""
        return any(part is not None for part in (self.user, self.press, self.picture, self.keys))


class Ticket(_Strict):
    """Tickets that the outage system must have."""

    place: str | None = "customer"
    problem: Literal[
        "outage",
        "partial_power",
        "still_out",
        "gas_leak",
        "downed_wire",
        "carbon_monoxide",
        "fire_shock",
        "medical_equipment",
    ]
    priority: Literal["Normal", "NeedsAttention", "Urgent"] | None = None
    note: Pattern | None = None
    number: int = Field(1, ge=1)


class Update(_Strict):
    """Text updates that somebody gets."""

    place: str = "customer"
    phone: str = "customer"


class Afterwards(_Strict):
    """What must be true when the conversation is over; a list names all there are, [] none."""

    within: float = Field(5.0, gt=0, le=60, description="seconds that it may take")
    tickets: list[Ticket] | None = None
    waiting_reports: int | None = Field(None, ge=0)
    updates: list[Update] | None = None
    people: list[str] | None = Field(None, description="reasons for which a person was brought in")
    texts: Patterns = []
    stopped: bool | None = None


class Script(_Strict):
    """A conversation test."""

    customer: str = "anonymous"
    about: str | None = None
    channel: Channels = ["web"]
    utility: list[UtilityStep] = []
    conversation: list[Step] = Field(min_length=1)
    never: Patterns = []
    afterwards: Afterwards = Afterwards()

    @model_validator(mode="after")
    def _has_turns(self) -> Script:
        if not any(step.is_turn for step in self.conversation):
            raise ValueError("the customer says nothing (user: or press:)")
        by_voice = any(step.keys is not None or step.interrupted is not None for step in self.conversation)
        if by_voice and set(self.channel) != {"voice"}:
            raise ValueError("keys: and interrupted: belong to the telephone (channel: voice)")
        return self

    @property
    def steps(self) -> Iterator[UtilityStep]:
        """Everything that happens in the utility, before and between turns."""
        yield from self.utility
        for step in self.conversation:
            yield from step.utility or ()

    @property
    def faults(self) -> frozenset[str]:
        """The systems that misbehave in it."""
        return frozenset(step.fault.system for step in self.steps if step.fault is not None)


@dataclass(frozen=True, slots=True)
class Case:
    """A test on one channel."""

    path: Path
    script: Script
    channel: Channel

    @property
    def name(self) -> str:
        """Where it stands, without the ending."""
        where = str(self.path.relative_to(FOLDER).with_suffix(""))
        return f"{where}[{self.channel}]" if len(self.script.channel) > 1 else where


def _exactly_one(model: BaseModel, names: tuple[str, ...]) -> None:
    given = [name for name in names if getattr(model, name) is not None]
    if len(given) != 1:
        raise ValueError(f"exactly one of {', '.join(names)} is needed here, not {', '.join(given) or 'none'}")


def load(path: Path) -> Script:
    """Read a test.

    Raises:
        ScriptError: it is no YAML, or says something that a test cannot say; with the file, the line and the reason.
    """
    text = path.read_text(encoding="utf-8")
    try:
        data = yaml.load(text, _Loader)
        node = yaml.compose(text, _Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise ScriptError(f"{path}:{line}: not YAML: {getattr(error, 'problem', None) or error}") from None
    try:
        return Script.model_validate(data)
    except ValidationError as error:
        lines = []
        for item in error.errors():
            where = ".".join(str(part) for part in item["loc"] if isinstance(part, str | int)) or "the test"
            message = item["msg"].removeprefix("Value error, ")
            if item["type"] == "extra_forbidden":
                message = "there is no such word here"
            lines.append(f"{path}:{_line(node, item['loc'])}: {where}: {message}")
        raise ScriptError("\n".join(lines)) from None


def _line(node: Any, loc: tuple[int | str, ...]) -> int:
    """The line of what pydantic names by its place."""
    line = node.start_mark.line + 1 if node is not None else 1
    for part in loc:
        if isinstance(node, yaml.MappingNode):
            pair = next(((key, value) for key, value in node.value if key.value == part), None)
            if pair is None:
                return line
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            return line
    return line


def find(folder: Path = FOLDER) -> list[Path]:
    """All tests, those first that break nothing.

    Raises:
        ScriptError: a file stands in a folder that is no journey or no behaviour.
    """
    paths = sorted(folder.rglob("*.yml"))
    for path in paths:
        parts = path.relative_to(folder).parts
        if len(parts) != 3 or parts[0] not in JOURNEYS or parts[1] not in BEHAVIOURS:
            raise ScriptError(
                f"{path}: belongs into <journey>/<what the customer does>/; journeys: {', '.join(JOURNEYS)}; "
                f"what customers do: {', '.join(BEHAVIOURS)}"
            )
    return paths
