"""How well customers are understood: the classifier of config.yml, trained on data/, measured on tests/nlu/hard.yml.

And on hard_2.yml, whose writer came later and on which no figure of an earlier round was taken.
Runs in the dialogue core's Python: ``bot/core/.venv/bin/python -m bench.understanding``. Options: ``--json``,
``--write``, ``--quick``, which leaves out the single steps, and ``--trained``, which takes the assistant that
`make train` has made instead of training again. Only figures and intent names are ever shown: a message of the test set
that has been read can no longer test anything.
"""

from __future__ import annotations

import collections
import copy
import os
import pickle
import sys
import tarfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.report import Bar, Topic, percentiles, run, table
from bench.sets import OUT_OF_SCOPE, Pair, own

ROOT = Path(__file__).resolve().parent.parent
COMMAND = "bot/core/.venv/bin/python -m bench.understanding"
RIGHT = ("right", "refused_right")


def configured() -> Any:
    """The untrained classifier that config.yml describes, defaults included."""
    import yaml

    from bot.core import without_tensorflow

    without_tensorflow.prepare()
    from bot.core.hybrid import HybridClassifier

    [part] = yaml.safe_load((ROOT / "config.yml").read_text(encoding="utf-8"))["pipeline"]
    config = {**HybridClassifier.get_default_config(), **{key: value for key, value in part.items() if key != "name"}}
    return HybridClassifier(config, None, None)._blank()  # type: ignore[arg-type]  # storage is for Rasa's archives


def assistant() -> dict[str, Any]:
    """What the trained assistant's classifier has learned.

    Raises:
        FileNotFoundError: `make train` has not been run, or the assistant holds no classifier of ours.
    """
    with tarfile.open(ROOT / "models" / "assistant" / "assistant.tar.gz") as archive:
        for member in archive:
            if member.name.endswith("/understanding.pkl"):
                file = archive.extractfile(member)
                if file is not None:
                    state: dict[str, Any] = pickle.load(file)
                    return state
    raise FileNotFoundError("models/assistant/assistant.tar.gz has no understanding.pkl")


def figures(decisions: Sequence[Any], pairs: Sequence[Pair]) -> dict[str, Any]:
    """What the issue asks of a test set, from decisions.

    Args:
        decisions: a `bot.core.understanding.Decision` a message.
        pairs: the messages' texts and intents.
    """
    from bot.core.understanding import outcome

    outcomes = [outcome(decision, intent) for decision, (_, intent) in zip(decisions, pairs, strict=True)]
    return summed(outcomes, [intent for _, intent in pairs])


def summed(outcomes: Sequence[str], truth: Sequence[str]) -> dict[str, Any]:
    """Shares of outcomes, overall and an intent. For out-of-scope, right means refused."""
    by: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    for result, intent in zip(outcomes, truth, strict=True):
        by[intent][result] += 1
    count = collections.Counter(outcomes)
    inside = [result for result, intent in zip(outcomes, truth, strict=True) if intent != OUT_OF_SCOPE]
    outside = [result for result, intent in zip(outcomes, truth, strict=True) if intent == OUT_OF_SCOPE]
    once = sum(count[name] for name in RIGHT)
    return {
        "messages": len(truth),
        "right_at_once": once / len(truth),
        "right_after_one_question": (once + count["asked_right"]) / len(truth),
        "acted_wrongly": count["wrong"] / len(truth),
        "asked": (count["asked_right"] + count["asked_wrong"]) / len(truth),
        "in_scope_right_at_once": inside.count("right") / max(1, len(inside)),
        "in_scope_right_after_one_question": (inside.count("right") + inside.count("asked_right"))
        / max(1, len(inside)),
        "in_scope_refused": inside.count("refused") / max(1, len(inside)),
        "out_of_scope_recall": outside.count("refused_right") / max(1, len(outside)),
        "out_of_scope_acted_on": outside.count("wrong") / max(1, len(outside)),
        "intents": {
            intent: {
                "messages": sum(results.values()),
                "at_once": sum(results[name] for name in RIGHT) / sum(results.values()),
                "after_question": (sum(results[name] for name in RIGHT) + results["asked_right"])
                / sum(results.values()),
                "wrong": results["wrong"] / sum(results.values()),
            }
            for intent, results in sorted(by.items())
        },
    }


def confusions(decisions: Sequence[Any], pairs: Sequence[Pair]) -> dict[str, Any]:
    """Truth against what was done: each intent, ``asked, right among them``, ``asked, right not among them``."""
    matrix: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    first: collections.Counter[tuple[str, str]] = collections.Counter()
    acted: collections.Counter[tuple[str, str]] = collections.Counter()
    for decision, (_, intent) in zip(decisions, pairs, strict=True):
        names = [reading.intent for reading in decision.readings]
        best = OUT_OF_SCOPE if decision.kind == "refuse" else names[0]
        if decision.kind == "ask":
            column = "asked_right" if intent in names else "asked_wrong"
        else:
            column = best
            if best != intent:
                acted[intent, best] += 1
        matrix[intent][column] += 1
        if best != intent:
            first[intent, best] += 1
    return {
        "order": list(dict.fromkeys(intent for _, intent in pairs)),
        "matrix": {intent: dict(row) for intent, row in sorted(matrix.items())},
        "first_reading": [[*pair, number] for pair, number in first.most_common(25)],
        "acted": [[*pair, number] for pair, number in acted.most_common(25)],
    }


def single_steps(model: Any, train: Sequence[Pair], valid: Sequence[Pair], test: Sequence[Pair]) -> dict[str, Any]:
    """Each part alone, with temperature and thresholds chosen for it on the development set, as ours were."""
    from bench import encoders
    from bot.core.encoder import load_encoder
    from bot.core.tune import choose, temperature
    from bot.core.understanding import decide, softmax

    def measured(which: Any, *weights: float) -> dict[str, Any]:
        alone = copy.copy(which)
        alone.weights = weights
        scores = alone.scores([text for text, _ in valid])
        truth = [intent for _, intent in valid]
        heat = temperature(scores, truth, alone.labels)
        limits = choose(softmax(scores / heat), truth, alone.labels)
        rows = softmax(alone.scores([text for text, _ in test]) / heat)
        found = figures([decide(row, alone.labels, limits) for row in rows], test)
        found["first_is_right"] = first_is_right(rows, alone.labels, test)
        del found["intents"]
        return found

    general = copy.copy(model)
    general.encoder = load_encoder(str(encoders.base()))
    general.fit(*zip(*train, strict=True))
    grams, meaning, near = model.weights
    return {
        "words and letters (n-grams)": measured(model, 1.0, 0.0, 0.0),
        "meaning, general MiniLM": measured(general, 0.0, 1.0, 0.0),
        "meaning, fine-tuned encoder": measured(model, 0.0, 1.0, 0.0),
        "nearest examples, fine-tuned encoder": measured(model, 0.0, 0.0, 1.0),
        "n-grams and meaning, general MiniLM": measured(general, grams, meaning, 0.0),
        "n-grams and meaning, fine-tuned encoder": measured(model, grams, meaning, 0.0),
        "all three, general MiniLM": measured(general, grams, meaning, near),
        "all three, fine-tuned encoder": measured(model, grams, meaning, near),
    }


def first_is_right(rows: Any, labels: Sequence[str], pairs: Sequence[Pair]) -> float:
    """How often the likeliest reading is the truth, before any threshold."""
    return float(sum(labels[row.argmax()] == intent for row, (_, intent) in zip(rows, pairs, strict=True)) / len(pairs))


def measure(quick: bool) -> Topic:
    """Train, decide, sum up."""
    from bot.core.understanding import normalised

    os.chdir(ROOT)  # config.yml names the encoder from here
    data = own()
    model = configured()
    began = time.perf_counter()
    if "--trained" in sys.argv:
        model.restore(assistant())
    else:
        model.fit(*zip(*data.train, strict=True))
    trained = time.perf_counter() - began
    spent, decisions = [], []
    for text, _ in data.test:
        began = time.perf_counter()
        decisions.append(model.decide(text))
        spent.append(time.perf_counter() - began)
    result = figures(decisions, data.test)
    rows = model.probabilities([text for text, _ in data.test])
    result["first_is_right"] = first_is_right(rows, model.labels, data.test)
    known = {normalised(text) for text, _ in data.train}
    fresh = [index for index, (text, _) in enumerate(data.test) if normalised(text) not in known]
    result |= {
        "examples": len(data.train),
        "train_seconds": None if "--trained" in sys.argv else trained,
        "milliseconds": percentiles(spent, 1000),
        "confusions": confusions(decisions, data.test),
        "also_among_examples": len(data.test) - len(fresh),
        "without_those": figures([decisions[index] for index in fresh], [data.test[index] for index in fresh]),
    }
    second = own("hard_2.yml").test
    result["second"] = figures([model.decide(text) for text, _ in second], second)
    result["second"]["first_is_right"] = first_is_right(
        model.probabilities([text for text, _ in second]), model.labels, second
    )
    if not quick:
        result["steps"] = single_steps(model, data.train, data.valid, data.test)
    command = " ".join([COMMAND, *(word for word in ("--quick", "--trained") if word in sys.argv)])
    return Topic("understanding", "Understanding customers", command, result, bars(result), body(result))


def bars(result: dict[str, Any]) -> list[Bar]:
    """The issue's bars."""
    inside = {name: row for name, row in result["intents"].items() if name != OUT_OF_SCOPE}
    lowest = min(inside, key=lambda name: (inside[name]["after_question"], inside[name]["at_once"]))
    at_once = min(inside, key=lambda name: inside[name]["at_once"])
    second = result["second"]
    return [
        Bar("right at once, second set", second["right_at_once"], least=0.88),
        Bar("right at once or after one question, second set", second["right_after_one_question"], least=0.96),
        Bar("acted on wrongly, second set", second["acted_wrongly"], most=0.05),
        Bar("right at once", result["right_at_once"], least=0.88),
        Bar("right at once or after one question", result["right_after_one_question"], least=0.96),
        Bar("acted on wrongly", result["acted_wrongly"], most=0.05),
        Bar("lowest intent, at once or after one question", inside[lowest]["after_question"], least=0.70, note=lowest),
        Bar("lowest intent, at once", inside[at_once]["at_once"], least=0.70, note=at_once),
        Bar("out-of-scope recall", result["out_of_scope_recall"], least=0.80),
        Bar("in-scope refused", result["in_scope_refused"], most=0.05),
    ]


def body(result: dict[str, Any]) -> str:
    """The tables."""
    heads = [
        "",
        "first reading right",
        "right at once",
        "or after one question",
        "acted on wrongly",
        "out-of-scope recall",
        "in-scope refused",
    ]
    names = (
        "first_is_right",
        "right_at_once",
        "right_after_one_question",
        "acted_wrongly",
        "out_of_scope_recall",
        "in_scope_refused",
    )
    steps = {**result.get("steps", {}), "**as config.yml says**": result, "on hard_2.yml": result["second"]}
    low = sorted(result["intents"].items(), key=lambda item: (item[1]["at_once"], item[1]["after_question"]))
    rest = result["without_those"]
    speed = result["milliseconds"]
    how_long = f" in {result['train_seconds']:.0f} s" if result["train_seconds"] else " by `make train`"
    parts = [
        f"{result['messages']} messages of {len(result['intents'])} intents; trained on {result['examples']} examples"
        f"{how_long}; one message takes {speed['p50']:.1f} ms (p95 {speed['p95']:.1f}). "
        f"{result['also_among_examples']} of the messages also stand among the examples, letter for letter once digits "
        f'and case are levelled (people say "yes" in few ways); without them {rest["right_at_once"]:.3f} are right at '
        f"once, {rest['right_after_one_question']:.3f} at once or after one question, "
        f"{rest['acted_wrongly']:.3f} acted on wrongly. "
        f"Of the messages in scope, {result['in_scope_right_at_once']:.3f} are right at once and "
        f"{result['in_scope_right_after_one_question']:.3f} at once or after one question.\n",
        "What each step adds (each with its own thresholds, chosen on the development set):\n"
        if "steps" in result
        else "",
        table(heads, ([label, *(row.get(name) for name in names)] for label, row in steps.items())),
        "Intents that are right at once less than 0.85 of the time:\n",
        table(
            ["intent", "messages", "at once", "or after one question", "acted on wrongly"],
            (
                [name, row["messages"], row["at_once"], row["after_question"], row["wrong"]]
                for name, row in low
                if row["at_once"] < 0.85
            ),
        ),
        "Most frequent confusions (likeliest reading, whether acted on or asked about):\n",
        table(["meant", "read as", "messages"], result["confusions"]["first_reading"][:12]),
        "![What customers meant against what was done](understanding.png)\n",
    ]
    return "\n".join(part for part in parts if part)


if __name__ == "__main__":
    if sys.version_info[:2] != (3, 10):
        sys.exit(f"run it as {COMMAND}")
    run(measure)
