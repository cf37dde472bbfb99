"""Our whole turn beside the same bot on Rasa's stock pipeline: ``.venv/bin/python -m bench.turns``.

Ours: a WebSocket of the gateway, from sending the text to the reply that is marked final: session, order, safety guard,
Rasa, action server, look-up in the outage board, and back. Stock: Rasa's REST channel straight away, without a gateway,
with DIET, TED and RulePolicy, the Redis tracker store, and the same action server. Both speak the same script, and the
replies are compared. Rounds alternate (ours, stock, ours, stock), so other work on the machine hits both.

Options: ``--quick`` (short rounds, growth without stock), ``--json``, ``--write``. The assistant has to be trained
(`make train`).
"""

from __future__ import annotations

import asyncio
import re
import statistics
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import redis.asyncio

from bench.report import Bar, Topic, percentiles, run, table
from bench.servers import STOCK_EPOCHS, StockRasa, Trees
from bench.talks import PHONE, OurTalk, PrivateTalk, StockTalk, Talk
from bot.identity.models import Identity
from bot.identity.store import IdentityStore
from tests.stack import Stack

COMMAND = ".venv/bin/python -m bench.turns"
SCRIPT = (
    ("hello", "greeting"),
    ("no", "answer"),
    ("when will the power be back on", "look-up"),
    ("no", "answer"),
    ("thank you", "plain"),
    ("goodbye", "plain"),
    ("any update on the outage at my house", "look-up"),
)
"""One conversation: what is said, and what kind of turn it is. A greeting looks up too, and "no" declines updates."""
CUSTOMERS = (1, 8, 32)
GROWTH_TURNS = 203
EARLY, LATE = range(3, 8), range(199, 204)
"""The same five places of the script, 28 conversations' worth of turns apart; turn 5 and turn 201 in the middle."""


Begin = Callable[[], Awaitable[Talk]]


@dataclass(slots=True)
class Round:
    """What happened in one round of one bot."""

    seconds: float = 0.0
    spent: dict[str, list[float]] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)

    @property
    def turns(self) -> int:
        """How many."""
        return sum(len(values) for values in self.spent.values())


async def round_of(begin: Begin, trees: Trees, customers: int, seconds: float) -> Round:
    """Let ``customers`` talk at once, each through the script again and again, a new conversation each time.

    Nobody begins one after ``seconds``; every script is spoken to its end, so the mix of turns is always the same.
    """
    done = Round()
    before = trees.cpu()
    began = time.perf_counter()
    until = began + seconds

    async def customer() -> None:
        while time.perf_counter() < until:
            talk = await begin()
            try:
                for text, kind in SCRIPT:
                    start = time.perf_counter()
                    await talk.say(text)
                    done.spent.setdefault(kind, []).append(time.perf_counter() - start)
            finally:
                await talk.close()

    async with asyncio.TaskGroup() as tasks:
        for _ in range(customers):
            tasks.create_task(customer())
    done.seconds = time.perf_counter() - began
    done.cpu = {name: spent - before[name] for name, spent in trees.cpu().items()}
    return done


async def growth(talk: Talk, trees: Trees, names: tuple[str, ...]) -> dict[str, list[float]]:
    """Milliseconds and CPU milliseconds of the early and the late turns of one long conversation."""
    found: dict[str, list[float]] = {"early_ms": [], "late_ms": [], "early_cpu": [], "late_cpu": []}
    for number in range(1, GROWTH_TURNS + 1):
        text = SCRIPT[(number - 1) % len(SCRIPT)][0]
        when = "early" if number in EARLY else "late" if number in LATE else ""
        before = trees.cpu() if when else {}
        start = time.perf_counter()
        await talk.say(text)
        if when:
            found[f"{when}_ms"].append(1000 * (time.perf_counter() - start))
            after = trees.cpu()
            found[f"{when}_cpu"].append(1000 * sum(after[name] - before[name] for name in names))
    return found


def summed(rounds: list[Round], parts: tuple[str, ...]) -> dict[str, Any]:
    """All rounds of one bot at one number of customers."""
    turns = sum(one.turns for one in rounds)
    spent = {kind: [value for one in rounds for value in one.spent.get(kind, [])] for _, kind in SCRIPT}
    cpu = {name: sum(one.cpu[name] for one in rounds) for name in rounds[0].cpu}
    whole = sum(cpu[name] for name in parts)
    return {
        "turns": turns,
        "turns_a_second": turns / sum(one.seconds for one in rounds),
        "best_turns_a_second": max(one.turns / one.seconds for one in rounds),
        "ms": percentiles([value for values in spent.values() for value in values], 1000),
        "ms_by_kind": {kind: percentiles(values, 1000) for kind, values in spent.items() if values},
        "cpu_ms_a_turn": {name: 1000 * value / turns for name, value in cpu.items()} | {"all": 1000 * whole / turns},
        "turns_a_cpu_second": turns / whole,
    }


def alike(text: str) -> str:
    """A reply without its times and ages."""
    return re.sub(r"\W+", " ", re.sub(r"\d+|just now|(an?|about|\d+) (minute|second)s?( ago)?", "0", text)).strip()


async def measure_async(quick: bool) -> dict[str, Any]:
    """Everything, with both bots up."""
    seconds, count = (2.0, 1) if quick else (6.0, 3)
    with Stack(without=("worker",)) as stack, StockRasa(stack) as stock:
        pids = {name: process.popen.pid for name, process in stack.processes.items() if process.popen is not None}
        stock_pid = stock.popen.pid if stock.popen is not None else 0
        ours_trees = Trees({name: pids[name] for name in ("rasa", "gateway", "actions", "redis")})
        stock_trees = Trees({"rasa": stock_pid, "actions": pids["actions"], "redis": pids["redis"]})
        store = IdentityStore(redis.asyncio.Redis.from_url(stack.redis_url))
        limits = httpx.Limits(max_connections=200, max_keepalive_connections=100)
        async with httpx.AsyncClient(timeout=60.0, limits=limits, trust_env=False) as client:
            points = (await client.get(f"{stack.sandbox_url}/cis/service-points", params={"phone": PHONE})).json()
            account = points["service_points"][0]["account_number"]

            async def ours_begin() -> Talk:
                return await OurTalk.begin(stack, client)

            async def stock_begin() -> Talk:
                return await StockTalk.begin(stock, store, account, client)

            same = await compare(ours_begin, stock_begin)
            found: dict[str, Any] = {"replies": same, "at": {}, "stock_epochs": STOCK_EPOCHS}
            for customers in CUSTOMERS:
                rounds: dict[str, list[Round]] = {"ours": [], "stock": []}
                for _ in range(count):
                    rounds["ours"].append(await round_of(ours_begin, ours_trees, customers, seconds))
                    rounds["stock"].append(await round_of(stock_begin, stock_trees, customers, seconds))
                found["at"][str(customers)] = {
                    "ours": summed(rounds["ours"], ("rasa", "gateway", "actions")),
                    "stock": summed(rounds["stock"], ("rasa", "actions")),
                }
            found["memory_mb"] = {
                "ours": ours_trees.memory_mb("rasa"),
                "stock": stock_trees.memory_mb("rasa"),
                "our gateway": ours_trees.memory_mb("gateway"),
                "action server": ours_trees.memory_mb("actions"),
            }
            found["growth"] = await grown(stack, stock, store, account, client, ours_trees, stock_trees, quick)
    return found


async def compare(ours: Begin, stock: Begin) -> dict[str, Any]:
    """Say the script to both, twice (the first time warms them up); where the replies differ."""
    for _ in range(2):
        said: dict[str, list[str]] = {"ours": [], "stock": []}
        for name, begin in (("ours", ours), ("stock", stock)):
            talk = await begin()
            for text, _ in SCRIPT:
                said[name].append(alike(await talk.say(text)))
            await talk.close()
    differ = [
        SCRIPT[number][0]
        for number, pair in enumerate(zip(said["ours"], said["stock"], strict=True))
        if pair[0] != pair[1]
    ]
    return {"turns": len(SCRIPT), "differ": differ, "empty": sum(not text for texts in said.values() for text in texts)}


async def grown(
    stack: Stack,
    stock: StockRasa,
    store: IdentityStore,
    account: str,
    client: httpx.AsyncClient,
    ours_trees: Trees,
    stock_trees: Trees,
    quick: bool,
) -> dict[str, Any]:
    """Turn 5 beside turn 201 of one conversation: medians over the five turns around each."""
    plan = [("ours", 2 if quick else 5), *([] if quick else [("stock", 1)])]
    result: dict[str, Any] = {}
    for name, conversations in plan:
        lists: dict[str, list[float]] = {}
        for _ in range(conversations):
            sender = uuid.uuid4().hex
            await store.put(Identity(sender, 1, PHONE, (account,), datetime.now(UTC)))
            talk: Talk = PrivateTalk(stack, sender, client) if name == "ours" else StockTalk(stock.url, sender, client)
            trees = ours_trees if name == "ours" else stock_trees
            for key, values in (await growth(talk, trees, ("rasa", "actions"))).items():
                lists.setdefault(key, []).extend(values)
        # Means, because the five turns are of different kinds and the same five each time.
        result[name] = {key: statistics.fmean(values) for key, values in lists.items()} | {
            "conversations": conversations
        }
    return result


def measure(quick: bool) -> Topic:
    """Start everything, measure, stop everything."""
    result = asyncio.run(measure_async(quick))
    return Topic("turns", "Turns", COMMAND + (" --quick" if quick else ""), result, bars(result), body(result))


def bars(result: dict[str, Any]) -> list[Bar]:
    """The targets of the project's research for text turns."""
    one = result["at"]["1"]
    lookups = [one[name]["ms_by_kind"]["look-up"]["p50"] for name in ("ours", "stock")]
    eight = result["at"]["8"]
    more = eight["ours"]["turns_a_cpu_second"] / eight["stock"]["turns_a_cpu_second"]
    memory, longer = result["memory_mb"], result["growth"]["ours"]
    return [
        Bar("turn with a look-up, p50, share of stock's", lookups[0] / lookups[1], most=1 / 6),
        Bar("turns a CPU-second beside stock's", more, least=5, unit=" times", note="8 customers"),
        Bar("memory of the Rasa process, share of stock's", memory["ours"] / memory["stock"], most=0.25),
        Bar("CPU of turn 201 beside turn 5", longer["late_cpu"] / longer["early_cpu"], most=1.1, unit=" times"),
    ]  # fmt: skip


def body(result: dict[str, Any]) -> str:
    """The tables."""
    differ = result["replies"]["differ"]
    said = "Both gave the same replies." if not differ else f"The replies to these differed: {', '.join(differ)}."
    names = (("ours, whole turn through the gateway", "ours"), ("stock Rasa, its REST channel", "stock"))
    rows = []
    for customers, both in result["at"].items():
        for label, name in names:
            row = both[name]
            look, cpu = row["ms_by_kind"]["look-up"], row["cpu_ms_a_turn"]
            rows.append(
                [
                    customers,
                    label,
                    look["p50"],
                    look["p95"],
                    row["ms"]["p50"],
                    row["ms"]["p95"],
                    row["turns_a_second"],
                    cpu["all"],
                    cpu["rasa"],
                    row["turns_a_cpu_second"],
                ]
            )
    heads = [
        "customers at once", "", "look-up p50 ms", "p95 ms", "all turns p50 ms", "p95 ms", "turns/s", "CPU-ms a turn",
        "of it Rasa", "turns a CPU-second",
    ]  # fmt: skip
    kinds = [
        [
            kind,
            *(
                figure
                for _, name in names
                for figure in (result["at"]["1"][name]["ms_by_kind"].get(kind, {}).get(key) for key in ("p50", "p95"))
            ),
        ]
        for kind in dict.fromkeys(kind for _, kind in SCRIPT)
    ]
    grown_rows = [
        [name, row["early_ms"], row["late_ms"], row["early_cpu"], row["late_cpu"], row["late_cpu"] / row["early_cpu"]]
        for name, row in result["growth"].items()
    ]
    memory = result["memory_mb"]
    return "\n".join(
        [
            f"One script of {len(SCRIPT)} turns, two of them plain; {said} CPU is that of Rasa and the action server, "
            "ours with the gateway's, from the scheduler's own count. Stock's DIET was trained "
            f"{result['stock_epochs']} epochs here, which does not change how long a turn takes.\n",
            table(heads, rows),
            "One customer, by kind of turn:\n",
            table(["", "ours p50 ms", "p95 ms", "stock p50 ms", "p95 ms"], kinds),
            "One long conversation, without the gateway (it lets nobody write that fast); means of five turns:\n",
            table(["", "turn 5, ms", "turn 201, ms", "turn 5, CPU-ms", "turn 201, CPU-ms", "CPU ratio"], grown_rows),
            f"Memory: our Rasa {memory['ours']:.0f} MB, stock Rasa {memory['stock']:.0f} MB; beside ours the gateway "
            f"{memory['our gateway']:.0f} MB; the action server, which both use, {memory['action server']:.0f} MB.\n",
        ]
    )


if __name__ == "__main__":
    run(measure)
