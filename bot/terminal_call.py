"""A call from the terminal to the running house: words or a sound file in, a transcript with times and a recording out.

    lines = script("my power is out|+1.5 wait, I smell gas|keys:0")

The simulated carrier places it, so everything but the telephone network is as in a real call.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from rich.console import Console
from rich.markup import escape

from bot.processes.house import secrets_of
from integrations.base.settings import Settings
from integrations.sandbox.calls.handset import CarrierAway, Handset
from integrations.sandbox.calls.hooks import Number
from integrations.sandbox.calls.mouth import Utterance
from integrations.sandbox.calls.sound import BadSound, from_wav
from voice.protocols import Pcm, SpeechUnavailable
from voice.speech.client import SpeechClient

NOBODY = "+12075550190"
"""Calls when no demo customer is chosen; it is on no file."""
QUIET_SECONDS = 1.2
"""So long must the assistant be silent before the next line: clauses have pauses between them."""
PATIENCE_SECONDS = 40.0
_AFTER = re.compile(r"^\+(\d+(?:\.\d+)?)\s+(.*)$")


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that the caller does.

    Attributes:
        text: words to speak; "" when it is something else.
        keys: to press.
        file: to play.
        pause: seconds to stay silent.
        after: seconds after the assistant has begun to answer; None: when it has finished.
    """

    text: str = ""
    keys: str = ""
    file: Path | None = None
    pause: float = 0.0
    after: float | None = None


def script(said: str, file: str = "") -> list[Line]:
    """What the caller does.

    Args:
        said: lines with | between them. "+1.5 words" interrupts a second and a half after the assistant has begun to
            answer, "keys:123#" presses keys, "pause:4" is silence.
        file: a WAV file that is played first.

    Raises:
        ValueError: a line cannot be understood; the text says which.
    """
    lines = [Line(file=Path(file))] if file else []
    for part in (one.strip() for one in said.split("|")):
        if not part:
            continue
        found = _AFTER.match(part)
        after, words = (float(found[1]), found[2]) if found else (None, part)
        if words.startswith("keys:"):
            keys = words.removeprefix("keys:").strip()
            if not re.fullmatch(r"[0-9*#]+", keys):
                raise ValueError(f"{part}: keys are 0 to 9, * and #")
            lines.append(Line(keys=keys, after=after))
        elif words.startswith("pause:"):
            lines.append(Line(pause=float(words.removeprefix("pause:")), after=after))
        else:
            lines.append(Line(text=words, after=after))
    return lines


@contextlib.asynccontextmanager
async def _voice(settings: Settings) -> AsyncIterator[SpeechClient]:
    """The house's speech process, with the token that `make run` made."""
    token = os.environ.get("SPEECH_TOKEN") or secrets_of(settings.run_dir).get("SPEECH_TOKEN", "")
    client = SpeechClient(settings.speech_address, token)
    await client.start(wait=2.0)
    try:
        yield client
    finally:
        await client.aclose()


async def _spoken(client: SpeechClient, text: str) -> Pcm:
    return np.concatenate([piece async for piece in client.speak(text, "en")])


async def call(settings: Settings, phone: str, lines: list[Line], out: Path | None = None) -> int:
    """Call, do what the script says, print what is said, and save the recording.

    Args:
        settings: of the running house.
        phone: to call from; empty: one that is on no file.
        lines: the script.
        out: WAV file; None: a new one in the run folder.

    Returns:
        The exit code.
    """
    console = Console(highlight=False)
    local = f"http://127.0.0.1:{settings.port}"
    number = Number(f"{settings.public_url}/twilio/voice", public=settings.public_url, local=local)
    try:
        sounds = await _sounds(settings, lines)
    except (SpeechUnavailable, BadSound) as error:
        console.print(f"The caller has no voice: {error}. Is everything running (make run)?")
        return 1
    async with httpx.AsyncClient() as http:
        handset = Handset(local, number, http)
        try:
            async with handset.call(phone or NOBODY):
                reader = asyncio.create_task(_transcribe(handset, http, local, console))
                try:
                    await _play(handset, lines, sounds, console)
                finally:
                    await asyncio.sleep(0.5)  # the last words reach the journal
                    reader.cancel()
                    await asyncio.gather(reader, return_exceptions=True)
        except CarrierAway as error:
            console.print(f"Nobody answers at {local} ({error}). Start it with: make run")
            return 1
    path = out or settings.run_dir / "calls" / f"{datetime.now().astimezone():%Y%m%d-%H%M%S}-{handset.sid[-6:]}.wav"
    await asyncio.to_thread(handset.recording.save, path, handset.timeline)
    console.print(f"Saved {path} (caller left, assistant right) and its timeline {path.with_suffix('.jsonl').name}")
    return 0


async def _sounds(settings: Settings, lines: list[Line]) -> list[Pcm | None]:
    made: list[Pcm | None] = []
    async with _voice(settings) as client:
        for line in lines:
            if line.file is not None:
                made.append(await asyncio.to_thread(from_wav, line.file))
            else:
                made.append(await _spoken(client, line.text) if line.text else None)
    return made


async def _play(handset: Handset, lines: list[Line], sounds: list[Pcm | None], console: Console) -> None:
    if not await handset.until("stream"):
        console.print(f"No conversation: the call does '{handset.verb}'")
        return
    opened = handset.timeline.last("stream_started")
    started = opened.at if opened else 0.0
    since, measured = started, "greeting"
    for line, sound in zip(lines, sounds, strict=True):
        if line.after is None:
            await handset.until_quiet(since, QUIET_SECONDS, PATIENCE_SECONDS)
        else:
            await _until_sound(handset, since)
            await asyncio.sleep(line.after)
        _latency(handset, since, measured, console)
        if not handset.is_live or handset.verb != "stream":
            break
        if sound is not None:
            utterance: Utterance = handset.say(sound, line.text or str(line.file))
            await utterance.done.wait()
            since, measured = utterance.ended or handset.timeline.now(), line.text or "file"
        elif line.keys:
            await handset.press(line.keys)
            since, measured = handset.timeline.now(), "keys"
        else:
            await asyncio.sleep(line.pause)
    await handset.until_quiet(since, 2 * QUIET_SECONDS, PATIENCE_SECONDS)
    _latency(handset, since, measured, console)


async def _until_sound(handset: Handset, after: float) -> None:
    for _ in range(int(PATIENCE_SECONDS * 50)):
        if handset.first_sound(after) is not None or not handset.is_live:
            return
        await asyncio.sleep(0.02)


def _latency(handset: Handset, since: float, what: str, console: Console) -> None:
    first = handset.first_sound(since)
    if first is not None:
        console.print(
            f"[dim]{first:7.2f}s  first sound {1000 * (first - since):.0f} ms after {escape(repr(what))}[/dim]"
        )


async def _transcribe(handset: Handset, http: httpx.AsyncClient, local: str, console: Console) -> None:
    """Print what the gateway heard and said, and what the carrier does."""
    after, shown = "0", 0
    while True:
        for event in handset.timeline.events[shown:]:
            shown += 1
            if event.what in ("clear", "key", "say", "gather", "dial", "joined", "error", "hang_up", "stream_ended"):
                words = " ".join(f"{name}={value}" for name, value in event.detail.items())
                console.print(f"[yellow]{event.at:7.2f}s  ({event.what}) {escape(words)}[/yellow]")
        with contextlib.suppress(httpx.HTTPError, ValueError):
            answer = await http.get(f"{local}/sandbox-conversation/{handset.sid}", params={"after": after}, timeout=5.0)
            entries: list[dict[str, Any]] = answer.json() if answer.status_code == 200 else []
            for entry in entries:
                after = entry["id"]
                if entry["text"]:
                    who, style = ("caller   ", "cyan") if entry["direction"] == "in" else ("assistant", "bold")
                    note = " (interrupting)" if entry["interrupted"] is not None else ""
                    at = handset.timeline.now()
                    console.print(f"[{style}]{at:7.2f}s  {who} {escape(entry['text'])}{note}[/{style}]")
        await asyncio.sleep(0.25)
