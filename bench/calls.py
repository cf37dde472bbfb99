"""From the end of a caller's speech to the first byte of our answer: ``.venv/bin/python -m bench.calls``.

The whole product with its speech process on loopback; callers speak recorded sound into the simulated carrier at real
pace, on the same cores. The end of speech is known from the sound, the first byte is the first media message at the
caller's end of the socket. Both voices are measured, one call and several at once; the documented way beside it uses
the same words, models and dialogue. Options: ``--quick`` (one round, one voice), ``--json``, ``--write``.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import httpx

from bench.callers import PARTS, PHONE, SCRIPT, Called, handset, logged, speak_script
from bench.documented import documented
from bench.report import DOCS, Bar, Topic, percentiles, run, table
from bench.servers import Trees
from integrations.sandbox.calls.handset import Handset
from tests.stack import Stack
from voice.engines.hibari import HibariEngine
from voice.protocols import Pcm
from voice.speech.engines import Voice
from voice.speech.models import Models

COMMAND = ".venv/bin/python -m bench.calls"
MOST = 16
"""Calls that the speech process is told to admit here, so that its own limit does not end the search."""
LONGEST_CALL = 300.0
"""Seconds; the script takes one minute."""
SILENT_CALLS, SILENT_SECONDS = 8, 5.0
LEVELS = (1, 4, 8, 12)
RECORDING = DOCS / "call.wav"


def recorded() -> dict[str, Pcm]:
    """The callers' sound, by hibari's voice."""
    engine = HibariEngine(Models.here().file("hibari-heart"))
    voice = Voice("hibari", engine, "en")
    return {line.words: voice.say(line.words) for line in SCRIPT}


async def round_of(stack: Stack, http: httpx.AsyncClient, sounds: dict[str, Pcm], count: int) -> list[Called]:
    """So many calls at once, each through the whole script; they begin and speak at different moments."""

    async def one(number: int) -> Called:
        await asyncio.sleep(0.4 * number)
        # Odd callers wait a little longer, so that not everybody speaks in the order of dialling.
        try:
            async with asyncio.timeout(LONGEST_CALL):
                return await speak_script(handset(stack, http), sounds, late=1.7 * (number % 3))
        except TimeoutError:
            return Called(hung=True)

    return list(await asyncio.gather(*(one(number) for number in range(count))))


async def warm_up(stack: Stack, http: httpx.AsyncClient, sounds: dict[str, Pcm]) -> None:
    """One call that is not counted: the gateway may not have reached the speech process yet.

    Raises:
        RuntimeError: no call gets a conversation.
    """
    for _ in range(10):
        (call,) = await round_of(stack, http, sounds, 1)
        if call.turns:
            return
        await asyncio.sleep(2.0)
    raise RuntimeError(f"no conversation to be had:\n{stack.tail('gateway')}")


def summed(stack: Stack, calls: Sequence[Called]) -> dict[str, Any]:
    """All calls of one kind."""
    turns = [turn for call in calls for turn in call.turns]
    answered = [turn for turn in turns if turn.first is not None]
    own = [entry for entry in logged(stack, {call.sid for call in calls}) if entry["by"] == "voice"]
    return {
        "calls": len(calls),
        "refused": sum(call.refused for call in calls),
        "hung": sum(call.hung for call in calls),
        "turns": len(turns),
        "unanswered": len(turns) - len(answered),
        "fillers": sum(bool(entry["filler"]) for entry in own),
        "first_ms": percentiles([turn.first for turn in answered if turn.first is not None], 1000),
        "audible_ms": percentiles([turn.audible for turn in answered if turn.audible is not None], 1000),
        "barge_in_ms": percentiles([turn.silence for turn in turns if turn.silence is not None], 1000),
        "barge_ins": sum(turn.silence is not None for turn in turns),
        "greeting_ms": percentiles([call.greeting for call in calls if call.greeting is not None], 1000),
        "parts_ms": {part: percentiles([entry[f"{part}_ms"] for entry in own], 1000) for part in PARTS},
        "by_words_ms": {
            line.words: percentiles([turn.first for turn in answered if turn.words == line.words and turn.first], 1000)
            for line in SCRIPT
        },
        "samples": [asdict(turn) for turn in turns],
    }


def trees(stack: Stack) -> Trees:
    """The processes that a call costs something in."""
    names = ("gateway", "speech", "rasa", "actions", "redis")
    return Trees({name: popen.pid for name in names if (popen := stack.processes[name].popen) is not None})


async def silent_calls(stack: Stack, http: httpx.AsyncClient) -> dict[str, float]:
    """What a call costs while nobody speaks: CPU of a core, and memory."""
    used = trees(stack)
    before = {name: used.memory_mb(name) for name in ("gateway", "speech")}
    phones = [handset(stack, http) for _ in range(SILENT_CALLS)]
    waiting = len(phones)
    all_quiet, over = asyncio.Event(), asyncio.Event()

    async def one(phone: Handset) -> None:
        nonlocal waiting
        async with phone.call(PHONE):
            await phone.until("stream")
            await phone.until_quiet(0.0, 0.6, 90.0)
            waiting -= 1
            if not waiting:
                all_quiet.set()
            await over.wait()

    async with asyncio.TaskGroup() as tasks:
        for phone in phones:
            tasks.create_task(one(phone))
        await all_quiet.wait()
        cpu = used.cpu()
        await asyncio.sleep(SILENT_SECONDS)
        spent = {name: seconds - cpu[name] for name, seconds in used.cpu().items()}
        after = {name: used.memory_mb(name) for name in ("gateway", "speech")}
        spoke = any(
            one.last_played > phone.timeline.now() - SILENT_SECONDS for phone in phones for one in phone.streams
        )
        over.set()
    return {
        "cpu_percent": 100 * sum(spent.values()) / SILENT_SECONDS / SILENT_CALLS,
        "gateway_cpu_percent": 100 * spent["gateway"] / SILENT_SECONDS / SILENT_CALLS,
        "speech_cpu_percent": 100 * spent["speech"] / SILENT_SECONDS / SILENT_CALLS,
        "memory_mb_a_call": sum(after[name] - before[name] for name in after) / SILENT_CALLS,
        "memory_mb": sum(after.values()),
        "somebody_spoke": float(spoke),
    }


async def voice_figures(engine: str, sounds: dict[str, Pcm], quick: bool, first: bool) -> dict[str, Any]:
    """Everything with one voice."""
    settings = {"SPEECH_VOICE_ENGINE": engine, "SPEECH_MOST_CALLS": str(MOST)}
    rounds = {1: 1 if quick else 5, 4: 1, 8: 1 if quick else 2, 12: 1}
    levels = (1, 8) if quick or not first else LEVELS
    result: dict[str, Any] = {"levels": {}}
    with Stack(speech=True, settings=settings, without=("worker",)) as stack:
        async with httpx.AsyncClient(limits=httpx.Limits(max_connections=100)) as http:
            await warm_up(stack, http, sounds)
            for level in levels:
                calls = [call for _ in range(rounds[level]) for call in await round_of(stack, http, sounds, level)]
                result["levels"][level] = summed(stack, calls)
                print(f"[bench] {engine}, {level} at once: {result['levels'][level]['first_ms']}", file=sys.stderr)
            if first:
                result["silent"] = await silent_calls(stack, http)
                words = [line.words for line in SCRIPT] * (1 if quick else 5)
                result["documented"] = await documented(stack, sounds, words)
                gc.collect()
    return result


async def record_one(sounds: dict[str, Pcm], path: Path) -> None:
    """One call as it sounds, for people who want to hear it."""
    with Stack(speech=True, without=("worker",)) as stack:
        async with httpx.AsyncClient() as http:
            phone = handset(stack, http)
            await speak_script(phone, sounds)
            await asyncio.to_thread(phone.recording.save, path, phone.timeline)


def measure(quick: bool) -> Topic:
    """All voices and the documented way."""
    sounds = recorded()
    piper = asyncio.run(voice_figures("piper", sounds, quick, first=True))
    hibari = None if quick else asyncio.run(voice_figures("hibari", sounds, quick, first=False))
    if "--write" in sys.argv:
        asyncio.run(record_one(sounds, RECORDING))
    result = {"piper": piper, "hibari": hibari}
    one, eight = piper["levels"][1], piper["levels"][8]
    bars = [
        Bar("end of speech to first byte, one call, Piper, p50", one["first_ms"]["p50"], most=900, unit=" ms"),
        Bar("end of speech to first byte, one call, Piper, p95", one["first_ms"]["p95"], most=1300, unit=" ms"),
        Bar("end of speech to first byte, eight calls, Piper, p50", eight["first_ms"]["p50"], most=1500, unit=" ms"),
        Bar("greeting after the stream's start, p95", one["greeting_ms"]["p95"], most=600, unit=" ms"),
        Bar("barge-in to silence, one call, p95", one["barge_in_ms"]["p95"], most=300, unit=" ms"),
        Bar("calls that hung or got no conversation", float(one["hung"] + eight["hung"] + one["refused"]), most=0),
        Bar("turns without an answer", float(one["unanswered"] + eight["unanswered"]), most=0),
    ]
    if hibari:
        fast = hibari["levels"][1]["first_ms"]["p50"]
        bars.insert(1, Bar("end of speech to first byte, one call, fast voice, p50", fast, most=700, unit=" ms"))
    return Topic("calls", "Calls", COMMAND + (" --quick" if quick else ""), result, bars, body(piper, hibari))


def body(piper: dict[str, Any], hibari: dict[str, Any] | None) -> str:
    """The tables."""
    rows = []
    for name, figures in (("Piper", piper), ("hibari", hibari)):
        for level, found in (figures or {"levels": {}})["levels"].items():
            parts = [found["parts_ms"][part].get("p50", 0.0) for part in PARTS]
            lost = f"{found['unanswered']} of {found['turns']}"
            first, heard = found["first_ms"], found["audible_ms"]
            rows.append([f"{name}, {level} at once", first["p50"], first["p95"], heard["p50"], *parts, lost])
    way = piper["documented"]
    parts = [1000 * statistics.median(turn[part] for turn in way) for part in PARTS]
    total = percentiles([turn["total"] for turn in way], 1000)
    rows.append(["the documented way, one call (Piper)", total["p50"], total["p95"], total["p50"], *parts, ""])
    barge = [
        [f"{level} at once", found["greeting_ms"]["p50"], found["greeting_ms"]["p95"], found["barge_ins"],
         found["barge_in_ms"].get("p50"), found["barge_in_ms"].get("p95")]
        for level, found in piper["levels"].items()
    ]  # fmt: skip
    silent, first = piper["silent"], piper["levels"][1]["first_ms"]["p50"]
    within = [level for level, found in piper["levels"].items() if found["first_ms"]["p50"] <= 2 * first]
    doubled = [level for level, found in piper["levels"].items() if found["first_ms"]["p50"] > 2 * first]
    heads = ["", "p50 ms", "p95 ms", "audible p50 ms", *(part.replace("_", " ") for part in PARTS), "no answer"]
    return (
        f"Each call is {len(SCRIPT)} spoken turns, most of them over our own speech. The parts are medians of the "
        "gateway's own log; recognition begins while the end of the turn is being decided, and only what it adds is "
        "counted. Audible is the first sample that can be heard. The callers run on the same cores.\n\n"
        + table(heads, rows)
        + "\n"
        + table(["", "greeting p50 ms", "p95 ms", "interruptions", "to silence p50 ms", "p95 ms"], barge)
        + "\n"
        + table(
            ["", ""],
            [
                ["calls at once up to which the median is not doubled", f"{max(within)}"],
                ["and the first tried at which it is", f"{min(doubled)}" if doubled else "none that was tried"],
                ["CPU of a silent call", f"{silent['cpu_percent']:.1f} % of a core"],
                ["of that the gateway", f"{silent['gateway_cpu_percent']:.1f} %"],
                ["memory a call, gateway and speech", f"{silent['memory_mb_a_call']:.1f} MB"],
                ["memory of both with eight calls", f"{silent['memory_mb']:.0f} MB"],
            ],
        )
        + ("\n[A call to listen to](call.wav), caller left, assistant right.\n" if RECORDING.exists() else "")
    )  # fmt: skip


if __name__ == "__main__":
    run(measure)
