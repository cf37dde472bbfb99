"""The carrier: places calls to our number, changes them by its API, and ends them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import httpx

from ..clock import Clock, SystemClock
from ..twilio_api import Account
from .call import Call, Phone, Status
from .follow import Answered, Dialled, Follower, Over
from .hooks import HookFailed, Hooks, Number
from .timeline import Pace, Timeline, real_pace
from .verbs import Document, Say

KEPT = 500
"""Ended calls that are still known."""
SORRY = "We are sorry, an application error has occurred. Goodbye."
Step = Callable[[], Awaitable[Document | None]]


class NotInProgress(RuntimeError):
    """The call cannot be changed any more, or not yet (error 21220)."""


class _Life:
    """A call's task, and what it is to do instead of what it does."""

    def __init__(self, follower: Follower) -> None:
        self.follower = follower
        self.task: asyncio.Task[None] | None = None
        self.work: asyncio.Task[Document | None] | None = None
        self.instead: Step | None = None
        self.gone = False
        """The caller has hung up, perhaps before anything was begun."""


class Carrier:
    """Twilio, as far as calls go.

    Args:
        account: the account.
        number: how our number is configured.
        http: for webhooks; its own one when None.
        pace: how time passes in calls.
        clock: for the times that the API shows.
    """

    def __init__(
        self,
        account: Account,
        number: Number,
        http: httpx.AsyncClient | None = None,
        pace: Pace | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.account = account
        self.calls: dict[str, Call] = {}
        self.number = number
        self.pace = pace or real_pace()
        self._clock = clock or SystemClock()
        self._own = http is None
        self._http = http or httpx.AsyncClient()
        self._hooks = Hooks(account, number, self._http)
        self._lives: dict[str, _Life] = {}

    def place(
        self, sender: str, phone: Phone, dialled: Dialled = lambda number: Answered(), caller_name: str = ""
    ) -> Call:
        """Call our number; the call goes on in the background.

        Args:
            sender: who calls.
            phone: the caller's.
            dialled: what becomes of numbers that the application dials.
            caller_name: what the carrier knows; usually nothing.
        """
        self._forget()
        timeline = Timeline(self.pace)
        call = Call(self.account.sid, sender, self.account.number, phone, timeline, self._clock, caller_name)
        life = _Life(Follower(call, self._hooks, self.pace, dialled))
        self.calls[call.sid], self._lives[call.sid] = call, life
        timeline.add("placed")
        life.task = asyncio.create_task(self._live(call, life))
        return call

    async def direct(self, call: Call, document: Document | None, url: str = "", method: str = "POST") -> None:
        """Make a live call do something else, as the Calls resource does.

        Args:
            call: which.
            document: to follow; None: fetch it.
            url: where to fetch it.
            method: GET or POST.

        Raises:
            NotInProgress: it is not in progress.
        """
        if call.status != "in-progress":
            raise NotInProgress(call.status)
        life = self._lives[call.sid]

        async def given() -> Document | None:
            return document

        async def fetched() -> Document | None:
            return await life.follower.fetch(url, method)

        call.timeline.add("redirected")
        life.instead = fetched if document is None else given
        if life.work is not None:
            life.work.cancel()

    async def hang_up(self, call: Call, by: str = "caller") -> None:
        """End a call, whatever it does; returns when it has ended."""
        life = self._lives.get(call.sid)
        if life is None or not call.is_live:
            return
        call.timeline.add("hang_up", by=by)
        life.instead, life.gone = None, True
        if life.work is not None:
            life.work.cancel()
        await call.over.wait()

    async def stop(self) -> None:
        """End everything at once."""
        tasks = [life.task for life in self._lives.values() if life.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._own:
            await self._http.aclose()

    async def ended(self, call: Call) -> None:
        """Wait until a call has ended and everybody has been told."""
        life = self._lives.get(call.sid)
        if life is not None and life.task is not None:
            await asyncio.wait({life.task})

    async def _live(self, call: Call, life: _Life) -> None:
        status: Status = "failed"
        try:
            status = await self._steps(call, life)
        finally:
            if life.work is not None:
                life.work.cancel()
                await asyncio.gather(life.work, return_exceptions=True)
            call.finish(status)
        if self.number.status:
            duration = str(call.seconds)
            more = {"CallDuration": duration, "Duration": "1", "SequenceNumber": "0", "CallbackSource": "call-progress"}
            await self._hooks.tell(self.number.status, {**call.fields(), **more}, call.timeline)

    async def _steps(self, call: Call, life: _Life) -> Status:
        async def first() -> Document | None:
            return await life.follower.fetch(self.number.voice)

        step: Step = first
        while not life.gone:
            work = life.work = asyncio.ensure_future(_as_task(step))
            await asyncio.wait({work})
            if work.cancelled():
                if life.instead is None:
                    break
                step, life.instead = life.instead, None
                continue
            try:
                document = work.result()
            except Over as over:
                return over.status
            except HookFailed as failure:
                return await self._apologise(call, failure)
            if document is None:
                return "completed" if call.answered else "no-answer"
            step = _following(life.follower, document)
        return "completed" if call.answered else "canceled"

    async def _apologise(self, call: Call, failure: HookFailed) -> Status:
        """What callers hear when the application cannot be asked."""
        call.error = failure.code
        call.timeline.add("error", code=failure.code, url=urlsplit(failure.url).path)
        call.answer()
        call.does("say", text=SORRY, language="en")
        call.timeline.add("say", text=SORRY)
        await call.phone.hear(call, Say(SORRY))
        return "completed"

    def _forget(self) -> None:
        over = [sid for sid, call in self.calls.items() if not call.is_live]
        for sid in over[: max(0, len(over) - KEPT)]:
            del self.calls[sid], self._lives[sid]


async def _as_task(step: Step) -> Document | None:
    return await step()


def _following(follower: Follower, document: Document) -> Step:
    async def follow() -> Document | None:
        return await follower.follow(document)

    return follow
