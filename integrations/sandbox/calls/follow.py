"""Doing what a document says, verb by verb."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from .call import Call, new_sid
from .hooks import Hooks
from .messages import StreamRequest
from .timeline import Pace
from .verbs import Connect, Dial, Document, Gather, Hangup, Pause, Play, Redirect, Reject, Say

_MOST_DOCUMENTS = 1_000
"""Twilio has a limit too; without one a document that redirects to itself would never end."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What becomes of a dialled number.

    Attributes:
        status: Twilio's DialCallStatus.
        ring_seconds: until it is answered or given up.
        talk_seconds: until they hang up; None: the caller does.
    """

    status: Literal["completed", "busy", "no-answer", "failed"] = "completed"
    ring_seconds: float = 1.0
    talk_seconds: float | None = None


Dialled = Callable[[str], Answered]


class Over(Exception):
    """The document has ended the call.

    Attributes:
        status: that the call ends with.
    """

    def __init__(self, status: Literal["completed", "busy", "no-answer"]) -> None:
        super().__init__(status)
        self.status = status


class Follower:
    """Follows documents for one call.

    Args:
        call: whose.
        hooks: asks the application.
        pace: time.
        dialled: what becomes of numbers that are dialled.
    """

    def __init__(self, call: Call, hooks: Hooks, pace: Pace, dialled: Dialled) -> None:
        self._call = call
        self._hooks = hooks
        self._pace = pace
        self._dialled = dialled
        self._documents = 0

    async def fetch(self, url: str, method: str = "POST", **more: str) -> Document:
        """The next document.

        Raises:
            HookFailed: there is none.
        """
        self._call.timeline.add("asks")
        fields = {**self._call.fields(), **more}
        return await self._hooks.document(url, method, fields, self._call.timeline)

    async def follow(self, document: Document) -> Document | None:
        """Do all of a document.

        Returns:
            The document to go on with; None at the end, where Twilio hangs up.

        Raises:
            HookFailed: the next document did not come.
            Over: the call is to end.
        """
        self._documents += 1
        if self._documents > _MOST_DOCUMENTS:
            self._call.timeline.add("error", code=12200, reason="too many documents")
            return None
        for place, verb in enumerate(document.verbs):
            if isinstance(verb, Reject):
                if place == 0 and self._call.status == "ringing":
                    raise Over("busy" if verb.reason == "busy" else "no-answer")
                return None
            self._call.answer()
            following: Document | None = None
            match verb:
                case Say() | Play() | Pause():
                    await self._prompt(verb)
                case Gather():
                    following = await self._gather(verb)
                case Connect():
                    following = await self._connect(verb)
                case Dial():
                    following = await self._dial(verb)
                case Redirect():
                    return await self.fetch(verb.url, verb.method)
                case Hangup():
                    raise Over("completed")
            if following is not None:
                return following
        return None

    async def _prompt(self, verb: Say | Play | Pause) -> None:
        for _ in range(getattr(verb, "loop", 1) or _MOST_DOCUMENTS):
            match verb:
                case Say():
                    self._call.does("say", text=verb.text, language=verb.language)
                    self._call.timeline.add("say", text=verb.text)
                case Play():
                    self._call.does("play", url=verb.url, digits=verb.digits)
                    self._call.timeline.add("play")
                case Pause():
                    self._call.does("pause", seconds=verb.seconds)
            await self._call.phone.hear(self._call, verb)

    async def _gather(self, verb: Gather) -> Document | None:
        said = " ".join(prompt.text for prompt in verb.prompts if isinstance(prompt, Say))
        while not self._call.keys.empty():
            self._call.keys.get_nowait()  # what was pressed before is not an answer to this
        self._call.does("gather", text=said, finish_on=verb.finish_on, most=verb.most)
        self._call.timeline.add("gather", text=said)
        prompts = asyncio.create_task(self._listen(verb))
        digits, finished_by = "", ""
        try:
            while verb.most is None or len(digits) < verb.most:
                key = await self._key(None if digits else prompts, verb.timeout)
                prompts.cancel()
                if key is None:
                    break
                if key == verb.finish_on:
                    finished_by = key
                    break
                digits += key
        finally:
            prompts.cancel()
            await asyncio.gather(prompts, return_exceptions=True)
        self._call.timeline.add("gathered", count=len(digits), finished=finished_by)
        if not digits and not verb.empty_too:
            return None
        more = {"Digits": digits, "msg": "Gather End", "FinishedOnKey": finished_by}
        return await self.fetch(verb.action, verb.method, **more)

    async def _listen(self, verb: Gather) -> None:
        for prompt in verb.prompts:
            for _ in range(getattr(prompt, "loop", 1) or _MOST_DOCUMENTS):
                await self._call.phone.hear(self._call, prompt)

    async def _key(self, prompts: asyncio.Task[None] | None, seconds: float) -> str | None:
        """The next key; the time runs from the end of the prompts."""
        key = asyncio.create_task(self._call.keys.get())
        try:
            if prompts is not None:
                await asyncio.wait({key, prompts}, return_when=asyncio.FIRST_COMPLETED)
            if not key.done():
                waiting = asyncio.ensure_future(self._pace.sleep(seconds))
                try:
                    await asyncio.wait({key, waiting}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    waiting.cancel()
            return key.result() if key.done() else None
        finally:
            key.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0)

    async def _connect(self, verb: Connect) -> Document | None:
        call = self._call
        request = StreamRequest(
            verb.url, new_sid("MZ"), call.sid, call.account_sid, dict(verb.parameters), verb.name, verb.status_callback
        )
        await self._stream_event(request, "stream-started")
        call.does(
            "stream", url=verb.url, stream_sid=request.stream_sid, account_sid=call.account_sid,
            parameters=request.parameters,
        )  # fmt: skip
        try:
            ending = await call.phone.stream(call, request, self._hooks.socket_headers(verb.url))
        finally:
            call.timeline.add("stream_over")
        failed = ending in ("refused", "broken")
        if failed:
            call.error = 31920 if ending == "refused" else 31951
        await self._stream_event(request, "stream-error" if failed else "stream-stopped")
        return await self.fetch(verb.action, verb.method) if verb.action else None

    async def _stream_event(self, request: StreamRequest, event: str) -> None:
        if request.status_callback:
            fields = {
                "AccountSid": request.account_sid, "CallSid": request.call_sid, "StreamSid": request.stream_sid,
                "StreamName": request.name, "StreamEvent": event, "Timestamp": self._call.created.isoformat(),
            }  # fmt: skip
            await self._hooks.tell(request.status_callback, fields, self._call.timeline)

    async def _dial(self, verb: Dial) -> Document | None:
        outcome = self._dialled(verb.number)
        began = self._pace.now()
        self._call.does("dial", number=verb.number, answered=False)
        self._call.timeline.add("dial", number=verb.number)
        status = outcome.status
        if outcome.ring_seconds > verb.timeout:
            status = "no-answer"
        await self._pace.sleep(min(outcome.ring_seconds, verb.timeout))
        talked = 0.0
        if status == "completed":
            self._call.does("dial", number=verb.number, answered=True)
            self._call.timeline.add("joined")
            began = self._pace.now()
            if outcome.talk_seconds is None:
                await asyncio.Event().wait()  # until the caller hangs up or the call is redirected
            else:
                await self._pace.sleep(outcome.talk_seconds)
            talked = self._pace.now() - began
        self._call.timeline.add("dialled", status=status)
        if not verb.action:
            return None
        return await self.fetch(
            verb.action, verb.method, DialCallStatus=status, DialCallSid=new_sid("CA"),
            DialCallDuration=str(int(talked)), DialBridged="true" if status == "completed" else "false",
        )  # fmt: skip
