"""Runs a conversation test against the whole product and says what was otherwise than expected."""

from __future__ import annotations

import asyncio
import json
import re
import time
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.conversations.channels import Answer, Line, SmsLine, VoiceLine, WebLine
from tests.conversations.script import Afterwards, Case, Script, ScriptError, Step, UtilityStep
from tests.conversations.utility import NOBODY, Customer, Place, SimulatedUtility, fill
from tests.stack import ORDER, Stack
from voice.speakable import speakable

NEVER_ANYWHERE = (
    (r"\{[a-z_]+\}", "a word in braces that nobody filled in"),
    (r"\b(None|null|NaN|nan|undefined)\b", "a value that is missing"),
    (r"\butter_|/[a-z]+_[a-z_]+\{|Traceback|Exception", "something of the machinery"),
    (r"\b(XFMR|FUSE|SVC|CB|BUS)-\d|\bSUB\d\d\b", "a device's name (NERC CIP-011)"),
)
NOT_BY_VOICE = r"\b(type|write|reply|press|click|tap|this chat|text back)\b(?! zero)"
"""Nobody on the telephone can do these."""
"""No customer may ever read these."""
MEMORY = {
    "oms": ("actions",),
    "cis": ("actions", "gateway"),
    "gis": ("actions",),
    "twilio": (),
}
"""Whose clients remember that a system was broken; they begin anew before the next test."""


class Otherwise(AssertionError):
    """Something was not as expected; the text holds the transcript."""


@dataclass(slots=True)
class Transcript:
    """What was said, for people to read."""

    lines: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        """Something that happened."""
        self.lines.append(f"  -- {text}")

    def customer(self, text: str) -> None:
        """The customer's words."""
        shown = text if len(text) <= 300 else f"{text[:300]} ... ({len(text):,} characters)"
        self.lines.append(f"  customer: {shown}")

    def answer(self, answer: Answer) -> None:
        """What came back."""
        for heard in answer.heard:
            self.lines.append(f"       bot: {heard.text}")
            if heard.buttons:
                self.lines.append("            " + " ".join(f"[{title}]" for title in heard.buttons))
        if not answer.heard:
            self.lines.append("       bot: (nothing)")
        if answer.names:
            self.lines.append(f"            = {' '.join(answer.names)}")


class Runner:
    """Runs one test after another on one stack.

    Args:
        stack: running.
    """

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._number = 0
        self._worn: set[str] = set()
        self._quiet: dict[str, str] = {}

    async def run(self, case: Case) -> None:
        """Run a test.

        Raises:
            Otherwise: with the transcript and all expectations of the turn that were not met.
            ScriptError: the test asks for something that does not exist.
        """
        # Each "someone" is another one, so that nothing that happened to the last one matters.
        self._number += "someone" in (case.script.customer, case.script.about)
        self._stack.check()
        async with httpx.AsyncClient(timeout=15.0) as client:
            utility = SimulatedUtility(self._stack, client, self._quiet)
            worn, self._worn = self._worn, set()
            try:
                await self._renew(utility, worn)
                await _Run(self._stack, utility, client, case, self._number).run()
            finally:
                self._worn = set().union(*(MEMORY[system] for system in case.script.faults), _stopped(self._stack))
                utility.close()

    async def _renew(self, utility: SimulatedUtility, worn: set[str]) -> None:
        if worn:
            await utility.mend()
            names = [name for name in ORDER if name in worn]
            with self._stack.redis() as redis:
                if "actions" in names:
                    redis.delete("oms:snapshot", "oms:events")
            await asyncio.to_thread(self._stack.restart, *names)
        await utility.reset()


def _stopped(stack: Stack) -> set[str]:
    return {name for name, process in stack.processes.items() if process.popen is not None and not process.is_running}


class _Run:
    """One test under way."""

    def __init__(
        self, stack: Stack, utility: SimulatedUtility, client: httpx.AsyncClient, case: Case, number: int
    ) -> None:
        self._stack, self._utility, self._client = stack, utility, client
        self._case, self._script = case, case.script
        self._number = number
        self._transcript = Transcript()
        self._facts: dict[str, str] = {}
        self._customer: Customer | None = None
        self._about: Customer | None = None
        self._phone: str | None = None
        self._marks = {
            name: process.log.stat().st_size for name, process in stack.processes.items() if process.log.exists()
        }

    async def run(self) -> None:
        script = self._script
        await self._who(script)
        line: Line
        if self._case.channel == "sms":
            self._phone = self._phone or NOBODY
            line = SmsLine(self._stack, self._utility, self._phone)
        elif self._case.channel == "voice":
            line = VoiceLine(self._stack, self._phone)
        else:
            line = WebLine(self._stack, self._client, self._phone)
        try:
            for step in script.utility:
                await self._happen(step)
            await line.begin()
            for number, each in enumerate(script.conversation, 1):
                await self._step(line, number, each)
            await self._afterwards(script.afterwards)
        finally:
            await line.end()

    async def _who(self, script: Script) -> None:
        names = [script.customer, script.about]
        if script.customer not in ("anonymous",):
            self._customer = await self._utility.customer(script.customer, self._number)
            self._phone = self._customer.phone
        if script.about:
            self._about = await self._utility.customer(script.about, self._number)
        subject = self._about or self._customer
        if subject:
            self._facts |= subject.facts()
        for text in _texts_of(script):
            for key in re.findall(r"\{([a-z_]+)\.[a-z_]+\}", text):
                if key not in names and f"{key}.address" not in self._facts:
                    other = await self._utility.customer(key, self._number)
                    self._facts |= {f"{key}.{name}": value for name, value in other.facts().items()}
        who = self._customer.name if self._customer else "a visitor"
        self._transcript.note(
            f"{who} by {self._case.channel}" + (f", about {subject.places[0].address}" if subject else "")
        )

    def _place(self, name: str) -> Place:
        subject = self._about or self._customer
        if subject is None:
            raise ScriptError("the test needs a customer: or an about: to have a place")
        if name == "customer":
            return subject.places[0]
        for place in subject.places:
            if place.nickname == name:
                return place
        raise ScriptError(f"there is no place {name!r}: write customer, or a premise's nickname")

    # -- what happens

    async def _happen(self, step: UtilityStep) -> None:
        self._transcript.note(step.model_dump_json(exclude_unset=True))
        if step.outage is not None:
            await self._utility.begin(self._place(step.outage.place), step.outage)
        elif step.change_outage is not None:
            await self._utility.change(self._place(step.change_outage.place), step.change_outage)
        elif step.restore_outage is not None:
            await self._utility.restore(self._place(step.restore_outage))
        elif step.fault is not None:
            await self._utility.fault(step.fault.model_dump(exclude_unset=True))
        elif step.restart is not None:
            await asyncio.to_thread(self._stack.restart, step.restart)

    async def _step(self, line: Line, number: int, step: Step) -> None:
        if step.utility is not None:
            for each in step.utility:
                await self._happen(each)
            return
        if step.new_conversation:
            self._transcript.note("a new conversation")
            await line.begin()
            return
        try:
            if step.press is not None:
                self._transcript.customer(f"[{step.press}]")
                answer = await line.press(fill(step.press, self._facts))
            elif step.keys is not None and isinstance(line, VoiceLine):
                self._transcript.customer(f"<keys {step.keys}>")
                answer = await line.key(fill(step.keys, self._facts))
            else:
                text = fill(step.user or "", self._facts) * step.repeated
                self._transcript.customer(text + (f" <{step.picture}>" if step.picture else ""))
                if step.interrupted is not None and isinstance(line, VoiceLine):
                    line.heard_of_it(fill(step.interrupted, self._facts))
                answer = await line.say(text, step.picture or "")
        except TimeoutError:
            self._transcript.answer(Answer())
            raise self._otherwise(number, ["no whole answer came"]) from None
        except ScriptError as error:
            raise self._otherwise(number, [str(error)]) from None
        self._transcript.answer(answer)
        problems = self._problems(step, answer)
        problems += await self._slot_problems(step, line)
        if problems:
            raise self._otherwise(number, problems)

    # -- what is expected

    def _problems(self, step: Step, answer: Answer) -> list[str]:
        problems: list[str] = []
        words = "\n".join(heard.text for heard in answer.heard)
        if step.silent != (not answer.heard):
            problems.append("nothing was to be said" if step.silent else "the customer got no answer")
        rest = list(answer.names)
        for name in step.says:
            if name in rest:
                rest = rest[rest.index(name) + 1 :]
            else:
                where = " at this place in the order" if name in answer.names else ""
                problems.append(f"says: {name} was not said{where}")
        if step.first is not None and answer.names[:1] != [step.first]:
            problems.append(f"first: {step.first} was to be the first thing said, not {answer.names[:1] or 'nothing'}")
        problems += [f"never_says: {name} was said" for name in step.never_says if name in answer.names]
        for pattern in step.text:
            if not _finds(fill(pattern, self._quoted()), words):
                problems.append(f"text: nothing like {fill(pattern, self._facts)!r} was said")
        for pattern in (*step.never, *self._script.never):
            if found := _finds(fill(pattern, self._quoted()), words):
                problems.append(f"never: {found!r} was said")
        for pattern, what in NEVER_ANYWHERE:
            if found := re.search(pattern, words):
                problems.append(f"{found.group()!r} was said: {what}")
        if self._case.channel == "voice":
            if found := re.search(NOT_BY_VOICE, words, re.IGNORECASE):
                problems.append(f"{found.group()!r} was said to somebody on the telephone")
            problems += [f"a voice cannot say {one!r}" for one in map(speakable, words.split("\n")) if not _plain(one)]
        failed = [name for name in answer.names if name.startswith("system_failed") and name not in step.says]
        if failed:
            problems.append("the turn failed on our side")
        if step.buttons is not None:
            wanted = [fill(title, self._facts) for title in step.buttons]
            if wanted != answer.buttons:
                problems.append(f"buttons: {wanted} were to be offered, not {answer.buttons}")
        return problems

    def _quoted(self) -> dict[str, str]:
        return {name: re.escape(value) for name, value in self._facts.items()}

    async def _slot_problems(self, step: Step, line: Line) -> list[str]:
        if not step.slots:
            return []
        with self._stack.redis() as redis:
            stored: Any = redis.get(f"porchlight:tracker:{line.conversation}")
        slots: dict[str, Any] = {}
        for event in json.loads(stored)["events"] if stored else ():
            if event.get("event") == "slot":
                slots[event["name"]] = event["value"]
        problems = []
        for name, wanted in step.slots.items():
            wanted = fill(wanted, self._facts) if isinstance(wanted, str) else wanted
            value = slots.get(name)
            # A test's numbers are words (see script.py), so both are compared as they are written.
            if value != wanted and (not isinstance(wanted, str) or str(value) != wanted):
                problems.append(f"slots: {name} is {value!r}, not {wanted!r}")
        return problems

    async def _afterwards(self, wanted: Afterwards) -> None:
        deadline = time.monotonic() + wanted.within
        while problems := await self._consequences(wanted):
            if time.monotonic() > deadline:
                raise self._otherwise(0, problems)
            # In a thread: by voice the switchboard runs in this process, and may be in the middle of writing.
            await asyncio.to_thread(self._utility.let_time_pass)
            await asyncio.sleep(0.25)

    async def _consequences(self, wanted: Afterwards) -> list[str]:
        problems: list[str] = []
        if wanted.tickets is not None:
            problems += self._ticket_problems(wanted, await self._utility.tickets())
        if wanted.waiting_reports is not None:
            query = "select kind, state from trouble_reports where state != 'delivered'"
            waiting = await asyncio.to_thread(self._utility.rows, query)
            if len(waiting) != wanted.waiting_reports:
                problems.append(f"waiting_reports: {len(waiting)} reports wait for the outage system: {waiting}")
        if wanted.updates is not None:
            query = "select service_point_id, phone from update_subscriptions where active order by id"
            active = await asyncio.to_thread(self._utility.rows, query)
            expected = [(self._place(one.place).service_point, self._phone_of(one.phone)) for one in wanted.updates]
            if sorted(active) != sorted(expected):
                problems.append(f"updates: they go to {active}, not to {expected}")
        if wanted.people is not None:
            reasons = [
                row[0] for row in await asyncio.to_thread(self._utility.rows, "select reason from handoffs order by id")
            ]
            if reasons != wanted.people:
                problems.append(f"people: brought in for {reasons}, not for {wanted.people}")
        if wanted.stopped is not None:
            stopped = bool(await asyncio.to_thread(self._utility.rows, "select 1 from contact_consents where stopped"))
            if stopped != wanted.stopped:
                problems.append(f"stopped: the number {'has' if stopped else 'has not'} stopped our texts")
        if wanted.texts:
            phone = self._phone_of("customer")
            bodies = "\n".join(one["body"] for one in await self._utility.texts(phone))
            for pattern in wanted.texts:
                if not _finds(fill(pattern, self._quoted()), bodies):
                    problems.append(f"texts: nothing like {pattern!r} was sent; sent was: {bodies or 'nothing'}")
        return problems

    def _ticket_problems(self, wanted: Afterwards, tickets: list[dict[str, Any]]) -> list[str]:
        problems = []
        rest = list(tickets)
        for ticket in wanted.tickets or ():
            place = self._place(ticket.place).service_point if ticket.place else ""
            fitting = [
                one
                for one in rest
                if one["problem_code"].lower() == ticket.problem
                and one["service_location"] == place
                and ticket.priority in (None, one["priority"])
                and (ticket.note is None or _finds(fill(ticket.note, self._quoted()), one["description"]))
            ]
            rest = [one for one in rest if one not in fitting]
            if len(fitting) != ticket.number:
                problems.append(f"tickets: {len(fitting)} like {ticket.model_dump(exclude_unset=True)}")
        if rest:
            problems.append("tickets: nobody expected one of these")
        if problems:
            shown = [
                f"{one['problem_code']} {one['priority']} at {one['service_location'] or 'an unknown place'}: "
                f"{one['description']}"
                for one in tickets
            ]
            problems.append(f"tickets: the outage system has {shown or 'none'}")
        return problems

    def _phone_of(self, phone: str) -> str:
        if phone != "customer":
            return phone
        if self._phone is None:
            raise ScriptError("a visitor has no phone")
        return self._phone

    # -- telling

    def _otherwise(self, number: int, problems: list[str]) -> Otherwise:
        where = f"at step {number}" if number else "afterwards"
        parts = [f"{self._case.path}", *self._transcript.lines, "", f"Otherwise than expected, {where}:"]
        parts += [f"  - {problem}" for problem in problems]
        errors = self._logged()
        if errors:
            parts += ["", "What the processes logged meanwhile:", *errors]
        return Otherwise("\n".join(parts))

    def _logged(self) -> list[str]:
        found = []
        for name, process in self._stack.processes.items():
            if not process.log.exists():
                continue
            with process.log.open("rb") as log:
                log.seek(self._marks.get(name, 0))
                text = log.read().decode("utf-8", "replace")
            found += [
                f"  {name}: {line[:1500]}"
                for line in text.splitlines()
                if re.search(r'"level": ?"(warning|error|critical)"|\b(ERROR|CRITICAL)\b|\[(error|warning)', line)
            ]
        return found[-20:]


def _plain(spoken: str) -> bool:
    return not re.search(r"[^\w\s.,;:?!'-]|[\d_]", spoken)


def _finds(pattern: str, text: str) -> str | None:
    found = re.search(pattern, text, re.IGNORECASE)
    return found.group() if found else None


def _texts_of(script: Script) -> list[str]:
    texts: list[str] = []
    for step in script.conversation:
        said = (step.user, step.press, step.keys, step.interrupted)
        texts += [*(one for one in said if one), *step.text, *step.never, *(step.buttons or ())]
    return texts
