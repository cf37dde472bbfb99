"""What the emergency guard costs and catches: ``.venv/bin/python -m bench.guard``. Options: ``--json``, ``--write``.

Cost: one `Guard.check` for ordinary messages, and for hostile ones of 2,000 characters. Recall and false alarms: on
tests/safety/held_out.yml, of which only figures are shown.
"""

from __future__ import annotations

import random
import statistics
import string
import time
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

from bench.report import Bar, Topic, percentiles, run, table
from bench.sets import own
from bot.safety import Guard

COMMAND = ".venv/bin/python -m bench.guard"
LONG = 2_000
TESTS = Path(__file__).resolve().parent.parent / "tests" / "safety"


def hostile(rng: random.Random) -> dict[str, str]:
    """Messages of LONG characters that an unkind person would send."""
    words = [
        "gas",
        "smell",
        "wire",
        "down",
        "smoke",
        "carbon",
        "monoxide",
        "oxygen",
        "sparks",
        "huele",
        "leak",
        "not",
        "no",
        "the",
        "bill",
    ]
    near = ["gsa", "smlel", "wrie", "snoke", "carbno", "oxigen", "sprks", "hule", "laek", "monoxid", "fyre", "shokc"]
    letters = string.ascii_lowercase

    def stretched(part: str) -> str:
        return (part * (LONG // len(part) + 1))[:LONG]

    def filled(pool: list[str]) -> str:
        return " ".join(rng.choice(pool) for _ in range(LONG))[:LONG]

    return {
        "one letter": "a" * LONG,
        "one-letter words": stretched("a "),
        "emergency words in a row": filled(words),
        "misspelt emergency words": filled(near),
        "nonsense words": filled(["".join(rng.choices(letters, k=rng.randint(3, 9))) for _ in range(500)]),
        "one endless word": "".join(rng.choices(letters, k=LONG)),
        "letters apart": stretched("g a s l e a k "),
        "joined words": stretched("gasleakwiredownsmoke"),
        "punctuation": "".join(rng.choices(string.punctuation + " ", k=LONG)),
        "zero-width and combining": stretched("g\u200ba\u200bs\u0301 \u202e\u2066l\u0336e\u0336a\u0336k "),
        "digits": "".join(rng.choices(string.digits + " ", k=LONG)),
        "emoji": "\U0001f525\U0001f4a8" * (LONG // 2),
        "any characters": "".join(chr(rng.randint(32, 0x2FFF)) for _ in range(LONG)),
        "negations": stretched("not no never without isn't "),
    }


def timed(guard: Guard, texts: list[str], rounds: int = 1) -> dict[str, float]:
    """Milliseconds of one check."""
    spent = []
    for _ in range(rounds):
        for text in texts:
            began = time.perf_counter()
            guard.check(text)
            spent.append(time.perf_counter() - began)
    return percentiles(spent, 1000)


def caught(guard: Guard) -> dict[str, Any]:
    """Recall and false alarms on the held-back set, by kind and by nothing else."""
    sets = yaml.safe_load((TESTS / "held_out.yml").read_text(encoding="utf-8"))
    total: Counter[str] = Counter()
    found: Counter[str] = Counter()
    same: Counter[str] = Counter()
    for item in sets["emergencies"]:
        result = guard.check(item["text"])
        total[item["kind"]] += 1
        found[item["kind"]] += result is not None
        same[item["kind"]] += result is not None and result.kind == item["kind"]
    misses = [item["text"] if isinstance(item, dict) else item for item in sets["near_misses"]]
    return {
        "emergencies": sum(total.values()),
        "near_misses": len(misses),
        "recall": sum(found.values()) / sum(total.values()),
        "right_kind": sum(same.values()) / sum(total.values()),
        "false_alarms": statistics.fmean(guard.check(text) is not None for text in misses),
        "recall_by_kind": {kind: found[kind] / total[kind] for kind in sorted(total)},
    }


def measure(quick: bool) -> Topic:
    """Cost and recall."""
    began = time.perf_counter()
    guard = Guard()
    loaded = time.perf_counter() - began
    texts = [text for text, _ in own().valid]
    first = timed(guard, texts)
    again = timed(guard, texts, 1 if quick else 3)
    unkind = {name: timed(guard, [text], 3 if quick else 15) for name, text in hostile(random.Random(7)).items()}
    result: dict[str, Any] = {
        "load_ms": 1000 * loaded,
        "first_ms": first,
        "again_ms": again,
        "hostile_ms": unkind,
        "caught": caught(guard),
    }
    found = result["caught"]
    worst = max(unkind, key=lambda name: unkind[name]["p50"])
    bars = [
        Bar(f"recall on {found['emergencies']} held-back emergencies", found["recall"], least=0.99),
        Bar(f"false alarms on {found['near_misses']} near misses", found["false_alarms"], most=0.02),
    ]
    rows: list[list[object]] = [
        [f"{len(texts)} ordinary messages, seen for the first time", first["p50"], first["p99"], first["max"]],
        ["the same again (spellings are remembered)", again["p50"], again["p99"], again["max"]],
        *(
            [f"hostile: {name}", row["p50"], row["p99"], row["max"]]
            for name, row in sorted(unkind.items(), key=lambda item: -item[1]["p50"])
        ),
    ]
    kinds = ", ".join(f"{kind} {share:.3f}" for kind, share in found["recall_by_kind"].items())
    body = (
        f"Recall by kind: {kinds}; the kind itself is right for {found['right_kind']:.3f}. "
        f"Loading the guard takes {1000 * loaded:.0f} ms. "
        f"The costliest hostile text of {LONG:,} characters: {worst}.\n\n"
        + table(["one check", "p50 ms", "p99 ms", "longest ms"], rows)
    )
    return Topic("guard", "The emergency guard", COMMAND, result, bars, body)


if __name__ == "__main__":
    run(measure)
