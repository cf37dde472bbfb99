"""Our pipeline beside Rasa's stock one, on CLINC150, BANKING77 and our own hard set.

``.venv/bin/python -m bench.public_sets``. The same protocol for all: train on the training part; a message is out of
scope when its likeliest in-scope reading is less likely than a limit, which is chosen on the validation part so that at
most 5 % of its in-scope messages are refused; measure the test part once. Options: ``--quick`` (only what has been
trained before, and the general encoder), ``--epochs N`` of DIET (stock: 100), ``--json``, ``--write``. Predictions are
kept in .cache/bench, so that nothing is trained twice.
"""

from __future__ import annotations

import statistics
import sys
from pathlib import Path
from typing import Any

from bench import encoders, stock_intents
from bench.environments import ROOT, core_python, run_job
from bench.report import Bar, Topic, run, table
from bench.sets import OUT_OF_SCOPE, SETS, LabelledSet, Pair, SetMissing, own
from bench.understanding import summed

REFUSED = 0.05
AIMS = {"clinc150": 0.95, "banking77": 0.93}
STOCK, GENERAL, TUNED = (
    "stock DIET",
    "ours, general encoder",
    "ours, encoder fine-tuned on this set's training part by our recipe",
)
COMMAND = ".venv/bin/python -m bench.public_sets"


def hybrid(which: LabelledSet, encoder: Path) -> dict[str, Any]:
    """Our classifier's predictions with an encoder."""
    core = ROOT / "bot" / "core"
    parts = (("valid", which.valid), ("test", which.test))
    job = {
        "train": which.train,
        "valid": which.valid,
        "encoder": str(encoder),
        "sets": {name: [text for text, _ in pairs] for name, pairs in parts if pairs},
    }
    depends = (core / "understanding.py", core / "encoder.py", core / "tune.py", encoder / "model.onnx")
    return run_job(core_python(), ROOT / "bench" / "hybrid_job.py", job, "hybrid", *depends)


def figures(predictions: dict[str, Any], which: LabelledSet) -> dict[str, Any]:
    """Accuracy, and where the set has messages out of scope, how many of them are found at the validated limit."""
    rows, pairs = predictions["sets"]["test"]["rows"], which.test
    inside = [(row, intent) for row, (_, intent) in zip(rows, pairs, strict=True) if intent != OUT_OF_SCOPE]
    found: dict[str, Any] = {
        "train_seconds": predictions["train_seconds"],
        "p50_ms": predictions["sets"]["test"]["p50_ms"],
        "epochs": predictions.get("epochs"),
        "in_scope_accuracy": statistics.fmean(row["ranking"][0][0] == intent for row, intent in inside),
        "top_three": statistics.fmean(intent in [name for name, _ in row["ranking"][:3]] for row, intent in inside),
    }
    if len(inside) < len(pairs) and which.valid:
        limit = validated_limit(predictions["sets"]["valid"]["rows"], which.valid)
        outside = [row for row, (_, intent) in zip(rows, pairs, strict=True) if intent == OUT_OF_SCOPE]
        found |= {
            "limit": limit,
            "out_of_scope_recall": statistics.fmean(best_inside(row)[1] < limit for row in outside),
            "in_scope_refused": statistics.fmean(best_inside(row)[1] < limit for row, _ in inside),
            "in_scope_accuracy_at_limit": statistics.fmean(
                best_inside(row)[0] == intent and best_inside(row)[1] >= limit for row, intent in inside
            ),
            "out_of_scope_recall_by_first": statistics.fmean(row["ranking"][0][0] == OUT_OF_SCOPE for row in outside),
        }
    return found


def best_inside(row: dict[str, Any]) -> tuple[str, float]:
    """The likeliest reading that is in scope."""
    return next(((name, score) for name, score in row["ranking"] if name != OUT_OF_SCOPE), ("", 0.0))


def validated_limit(rows: list[dict[str, Any]], pairs: list[Pair]) -> float:
    """The largest limit under which at most REFUSED of the in-scope validation messages fall."""
    scores = sorted(best_inside(row)[1] for row, (_, intent) in zip(rows, pairs, strict=True) if intent != OUT_OF_SCOPE)
    return scores[int(REFUSED * len(scores))]


def stock_on_hard(epochs: int) -> dict[str, Any]:
    """Stock DIET with its fallback on tests/nlu/hard.yml.

    A fallback counts as a question that was right when the truth is among its three likeliest.
    """
    which = own()
    predictions = stock_intents.predictions(which, epochs)
    outcomes = []
    for row, (_, intent) in zip(predictions["sets"]["test"]["rows"], which.test, strict=True):
        names = [name for name, _ in row["ranking"]]
        if row["fallback"]:
            right = intent in names[:3] and intent != OUT_OF_SCOPE
            outcomes.append("refused_right" if intent == OUT_OF_SCOPE else "asked_right" if right else "refused")
        elif names[0] == OUT_OF_SCOPE:
            outcomes.append("refused_right" if intent == OUT_OF_SCOPE else "refused")
        else:
            outcomes.append("right" if names[0] == intent else "wrong")
    found = summed(outcomes, [intent for _, intent in which.test])
    del found["intents"]
    first = [row["ranking"][0][0] for row in predictions["sets"]["test"]["rows"]]
    found["first_is_right"] = statistics.fmean(
        name == intent for name, (_, intent) in zip(first, which.test, strict=True)
    )
    speeds = {key: predictions["sets"]["test"][key] for key in ("p50_ms", "p95_ms")}
    return found | speeds | {"epochs": epochs, "train_seconds": predictions["train_seconds"]}


def epochs_for(name: str, wanted: int | None, quick: bool) -> int | None:
    """How many epochs of DIET to show: those asked for; else the most that were trained before; else the stock number.

    None when ``quick`` and nothing was trained before.
    """
    if wanted:
        return wanted
    trained = stock_intents.trained(SETS[name]())
    return trained or (None if quick else stock_intents.EPOCHS)


def measure(quick: bool) -> Topic:
    """All sets that are there."""
    given = sys.argv[sys.argv.index("--epochs") + 1] if "--epochs" in sys.argv else None
    wanted = int(given) if given else None
    result: dict[str, Any] = {"sets": {}, "missing": []}
    for name in AIMS:
        try:
            which = SETS[name]()
        except SetMissing as missing:
            result["missing"].append(str(missing))
            continue
        rows = {GENERAL: figures(hybrid(which, encoders.base()), which)}
        if not quick or encoders.is_built(which.train):
            rows[TUNED] = figures(hybrid(which, encoders.tuned(name, which.train)), which)
        epochs = epochs_for(name, wanted, quick)
        if epochs:
            rows = {STOCK: figures(stock_intents.predictions(which, epochs), which), **rows}
        result["sets"][name] = rows
    epochs = epochs_for("own", wanted, quick)
    if epochs:
        result["hard"] = stock_on_hard(epochs)
    return Topic("public_sets", "Beside Rasa's stock pipeline", COMMAND, result, bars(result), body(result))


def bars(result: dict[str, Any]) -> list[Bar]:
    """Not below stock, and the aims."""
    found = []
    for name, rows in result["sets"].items():
        label = TUNED if TUNED in rows else GENERAL
        ours = rows[label]["in_scope_accuracy"]
        if STOCK in rows:
            found.append(Bar(f"{name}, in-scope accuracy beside stock's", ours, least=rows[STOCK]["in_scope_accuracy"]))
            if "out_of_scope_recall" in rows[label]:
                stock = rows[STOCK]["out_of_scope_recall"]
                found.append(
                    Bar(f"{name}, out-of-scope recall beside stock's", rows[label]["out_of_scope_recall"], least=stock)
                )
        found.append(
            Bar(f"{name}, in-scope accuracy, the aim", ours, least=AIMS[name], note="" if label == TUNED else label)
        )
    return found


def body(result: dict[str, Any]) -> str:
    """The tables."""
    parts = [f"Left out: {missing}\n" for missing in result["missing"]]
    heads = [
        "set", "pipeline", "in-scope accuracy", "truth in the first three", "out-of-scope recall", "in-scope refused",
        "accuracy with refusals counted", "training", "one message",
    ]  # fmt: skip
    lines = []
    for name, rows in result["sets"].items():
        for label, row in rows.items():
            cells = [
                row.get(key) for key in ("in_scope_accuracy", "top_three", "out_of_scope_recall", "in_scope_refused")
            ]
            epochs = f" ({row['epochs']} epochs)" if row.get("epochs") else ""
            shown = f"{row['train_seconds']:,.0f} s", f"{row['p50_ms']:.1f} ms"
            lines.append([name, label + epochs, *cells, row.get("in_scope_accuracy_at_limit"), *shown])
    if lines:
        parts += [
            "Out of scope: less likely than the limit at which 5 % of the validation set's in-scope messages are "
            "refused; the same rule for all. BANKING77 has no messages out of scope and no validation part. Our "
            "training time is without the encoder's.\n",
            table(heads, lines),
        ]
    if "hard" in result:
        row = result["hard"]
        keys = (
            "first_is_right",
            "right_at_once",
            "right_after_one_question",
            "acted_wrongly",
            "out_of_scope_recall",
            "in_scope_refused",
        )
        few = (
            ""
            if row["epochs"] >= stock_intents.EPOCHS
            else f" (stock trains {stock_intents.EPOCHS}; fewer, for the time it takes)"
        )
        parts += [
            f"Stock DIET, trained {row['epochs']} epochs{few} on our own examples, on tests/nlu/hard.yml. "
            "Its fallback counts as a question, a right one when the truth is among its three likeliest:\n",
            table(
                [
                    "",
                    "first reading right",
                    "right at once",
                    "or after one question",
                    "acted on wrongly",
                    "out-of-scope recall",
                    "in-scope refused",
                    "one message",
                ],
                [["stock DIET and fallback", *(row[key] for key in keys), f"{row['p50_ms']:.1f} ms"]],
            ),
        ]
    return "\n".join(parts) or "Nothing was measured.\n"


if __name__ == "__main__":
    run(measure)
