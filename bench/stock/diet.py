"""Rasa's stock intent pipeline on one set: train, predict, leave the predictions as JSON. Runs in bench/stock's Python.

``python bench/stock/diet.py JOB.json OUT.json`` with a job ``{"train": [[text, intent], ...], "sets": {name: [text,
...]}, "epochs": 100}``. The pipeline is what `rasa init` gives where no entities are marked: whitespace tokens, lexical
features, word counts, character n-grams within words, DIET, the fallback classifier.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("RASA_TELEMETRY_ENABLED", "false")
os.environ.setdefault("SQLALCHEMY_SILENCE_UBER_WARNING", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

FALLBACK = {"name": "FallbackClassifier", "threshold": 0.3, "ambiguity_threshold": 0.1}
"""The thresholds of `rasa init`."""


def pipeline(epochs: int) -> list[dict[str, Any]]:
    """The stock pipeline, as config.yml lists it."""
    return [
        {"name": "WhitespaceTokenizer"},
        {"name": "LexicalSyntacticFeaturizer"},
        {"name": "CountVectorsFeaturizer"},
        {"name": "CountVectorsFeaturizer", "analyzer": "char_wb", "min_ngram": 1, "max_ngram": 4},
        {"name": "DIETClassifier", "epochs": epochs, "constrain_similarities": True, "random_seed": 7},
        FALLBACK,
    ]


def train(examples: list[list[str]], epochs: int, folder: Path) -> str:
    """Train and return the model's path."""
    from rasa.model_training import train_nlu

    data, config = folder / "nlu.json", folder / "config.yml"
    common = [{"text": text, "intent": intent, "entities": []} for text, intent in examples]
    data.write_text(json.dumps({"rasa_nlu_data": {"common_examples": common}}), encoding="utf-8")
    # JSON is YAML.
    config.write_text(
        json.dumps({"recipe": "default.v1", "language": "en", "assistant_id": "stock", "pipeline": pipeline(epochs)})
    )
    path = train_nlu(str(config), str(data), str(folder))
    if not path:
        raise SystemExit("Rasa did not train a model")
    return str(path)


def _silence() -> None:
    """Let nobody read the test set: loaded without its server, Rasa prints each message that it parses."""
    import structlog

    logging.disable(logging.INFO)
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR), cache_logger_on_first_use=False
    )


async def predict(model: str, sets: dict[str, list[str]]) -> dict[str, Any]:
    """The ranking and the fallback's decision for each message, and the median time of one."""
    from rasa.core.agent import Agent

    _silence()
    agent = Agent.load(model)
    results: dict[str, Any] = {}
    for name, texts in sets.items():
        rows, spent = [], []
        for text in texts:
            began = time.perf_counter()
            found = await agent.parse_message(text)
            spent.append(time.perf_counter() - began)
            ranking = [
                [item["name"], round(float(item["confidence"]), 5)]
                for item in found.get("intent_ranking", [])
                if item["name"] != "nlu_fallback"
            ]
            rows.append(
                {"ranking": ranking, "fallback": (found.get("intent") or {}).get("name") in ("nlu_fallback", None)}
            )
        spent.sort()
        results[name] = {
            "rows": rows,
            "p50_ms": 1000 * spent[len(spent) // 2],
            "p95_ms": 1000 * spent[int(len(spent) * 0.95)],
        }
    return results


def main() -> None:
    """Do one job."""
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        os.environ["RASA_CACHE_DIRECTORY"] = str(Path(folder) / "cache")  # not the project's own
        began = time.perf_counter()
        model = train(job["train"], int(job["epochs"]), Path(folder))
        trained = time.perf_counter() - began
        sets = asyncio.run(predict(model, job["sets"]))
    Path(sys.argv[2]).write_text(
        json.dumps({"epochs": job["epochs"], "train_seconds": trained, "sets": sets}), encoding="utf-8"
    )


if __name__ == "__main__":
    main()
