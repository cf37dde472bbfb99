"""How results are written: JSON for machines, one Markdown page for people, every bar beside its figure.

Runs on Python 3.10 and later with nothing installed, because half of the benchmarks run in the dialogue core's Python.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import os
import platform
import statistics
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent.parent / "docs" / "bench"
ORDER = ("understanding", "public_sets", "turns", "outages", "guard", "speech", "account_numbers", "calls")


@dataclasses.dataclass(frozen=True)
class Bar:
    """A figure and what it has to reach.

    Attributes:
        what: the figure's name.
        value: what was measured.
        least: it has to be at least this; None for no such limit.
        most: it has to be at most this; None for no such limit.
        unit: after the figure.
        note: what it was measured on, when that is not plain.
    """

    what: str
    value: float
    least: float | None = None
    most: float | None = None
    unit: str = ""
    note: str = ""

    @property
    def met(self) -> bool:
        """Whether the figure reaches it."""
        return (self.least is None or self.value >= self.least) and (self.most is None or self.value <= self.most)

    def row(self) -> list[str]:
        """What, figure, bar, met."""
        wanted = f"at least {figure(self.least)}" if self.least is not None else f"at most {figure(self.most)}"
        what = f"{self.what} ({self.note})" if self.note else self.what
        return [what, figure(self.value) + self.unit, wanted + self.unit, "yes" if self.met else "**NO**"]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**dataclasses.asdict(self), "met": self.met}


@dataclasses.dataclass(frozen=True)
class Topic:
    """One benchmark's result.

    Attributes:
        name: its program.
        title: the heading.
        command: what produced it.
        result: every figure.
        bars: what it is held to.
        body: the tables, in Markdown.
    """

    name: str
    title: str
    command: str
    result: dict[str, Any]
    bars: Sequence[Bar]
    body: str

    def to_dict(self) -> dict[str, Any]:
        """For JSON, with the machine and the time."""
        return {
            "topic": self.name,
            "title": self.title,
            "command": self.command,
            "when": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),  # noqa: UP017 - Python 3.10 too
            "machine": machine(),
            "bars": [bar.to_dict() for bar in self.bars],
            "result": self.result,
            "body": self.body,
        }


def figure(value: float | None) -> str:
    """A number with as many places as it deserves."""
    if value is None:
        return ""
    if isinstance(value, int) or (float(value).is_integer() and abs(value) >= 10):
        return f"{int(value):,}"
    size = abs(value)
    return (
        f"{value:,.0f}"
        if size >= 100
        else f"{value:.1f}"
        if size >= 10
        else f"{value:.2f}"
        if size >= 1
        else f"{value:.3f}"
    )


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; numbers are formatted, the rest is taken as it is."""
    lines = ["| " + " | ".join(heads) + " |", "|" + " --- |" * len(heads)]
    for row in rows:
        cells = [figure(cell) if isinstance(cell, (int, float)) else "" if cell is None else str(cell) for cell in row]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def bars_table(bars: Iterable[Bar]) -> str:
    """Figures beside their bars."""
    return table(["figure", "measured", "bar", "met"], (bar.row() for bar in bars))


def machine() -> dict[str, Any]:
    """What this ran on, and how busy it was with other work."""
    model = next(
        (line.split(":", 1)[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), ""
    )
    memory = next(
        (int(line.split()[1]) // 1024**2 for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0
    )
    return {
        "cpu": model or platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "memory_gb": memory,
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "python": platform.python_version(),
        "load_at_end": round(os.getloadavg()[0], 2),
    }


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


def percentiles(values: Sequence[float], scale: float = 1.0) -> dict[str, float]:
    """p50, p95, p99 and the largest, multiplied by ``scale``."""
    ordered = sorted(values)
    if not ordered:
        return {}
    at = {
        name: ordered[min(len(ordered) - 1, int(len(ordered) * share))]
        for name, share in (("p95", 0.95), ("p99", 0.99))
    }
    return {key: scale * value for key, value in {"p50": statistics.median(ordered), **at, "max": ordered[-1]}.items()}


def finish(topic: Topic, arguments: Sequence[str]) -> None:
    """Print a result (``--json``: as JSON), and with ``--write`` keep it in docs/bench."""
    if "--json" in arguments:
        print(json.dumps(topic.to_dict()))
    else:
        print(f"\n## {topic.title}\n\n{bars_table(topic.bars) if topic.bars else ''}\n{topic.body}")
    if "--write" in arguments:
        write(topic.to_dict())


def write(topic: dict[str, Any]) -> None:
    """Keep one result in docs/bench, and write the page anew from all that are kept."""
    DOCS.mkdir(parents=True, exist_ok=True)
    (DOCS / f"{topic['topic']}.json").write_text(json.dumps(topic, indent=1) + "\n", encoding="utf-8")
    kept = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in DOCS.glob("*.json")}
    (DOCS / "README.md").write_text(page([kept[name] for name in ORDER if name in kept]), encoding="utf-8")


def page(topics: Sequence[dict[str, Any]]) -> str:
    """docs/bench/README.md."""
    missed = [(topic, bar) for topic in topics for bar in topic["bars"] if not bar["met"]]
    count = sum(len(topic["bars"]) for topic in topics)
    head = [
        "# What was measured",
        "",
        "`make bench` writes this page and the JSON files beside it. Each section says when and on what it was",
        "measured; milliseconds belong to that machine, ratios travel better.",
        "",
        f"{count - len(missed)} of {count} bars are met."
        + (
            " **Not met:** " + "; ".join(f"{topic['title']}: {bar['what']}" for topic, bar in missed) + "."
            if missed
            else ""
        ),
        "",
    ]
    for topic in topics:
        on = topic["machine"]
        head += [
            f"## {topic['title']}",
            "",
            f"`{topic['command']}`, {topic['when'][:16].replace('T', ' ')} UTC, {on['cpu']}, {on['cores']} cores, "
            f"{on['memory_gb']} GB, {on['system']}, Python {on['python']}, load at the end {on['load_at_end']}.",
            "",
        ]
        if topic["bars"]:
            head += [bars_table(Bar(**{k: v for k, v in bar.items() if k != "met"}) for bar in topic["bars"])]
        head += [topic["body"].strip(), ""]
    return "\n".join(head)


def run(measure: Callable[[bool], Topic]) -> None:
    """The main function of a benchmark: ``--quick``, ``--json``, ``--write``."""
    arguments = sys.argv[1:]
    finish(measure("--quick" in arguments), arguments)
