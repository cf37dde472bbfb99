"""The same bot on Rasa's stock pipeline: same data/, domain and actions, DIET and TED. Runs in bench/stock's Python.

``python bench/stock/bot.py FOLDER EPOCHS`` trains it into FOLDER/model.tar.gz and leaves the endpoints.yml and
credentials.yml of a stock server there; ``rasa run`` serves it. The policies are those of `rasa init` but for
UnexpecTEDIntentPolicy. TED learns from the few stories of stories.yml, which repeat rules, so that it runs at each turn
as it does in a stock bot.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

os.environ.setdefault("RASA_TELEMETRY_ENABLED", "false")
os.environ.setdefault("SQLALCHEMY_SILENCE_UBER_WARNING", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

HERE = Path(__file__).resolve().parent
DATA = HERE.parent.parent / "data"

ENDPOINTS = """
action_endpoint:
  url: ${ACTIONS_URL}
tracker_store:
  type: redis
  url: 127.0.0.1
  port: ${STOCK_REDIS_PORT}
  db: 1
"""


def main() -> None:
    """Train, write the server's files."""
    from rasa.model_training import train

    sys.path.insert(0, str(HERE))
    from diet import pipeline

    folder, epochs = Path(sys.argv[1]), int(sys.argv[2])
    data = folder / "data"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    domain = folder / "domain"
    shutil.rmtree(domain, ignore_errors=True)
    domain.mkdir()
    for path in sorted(DATA.glob("*/*.yml")):
        if path.name in ("nlu.yml", "rules.yml"):
            shutil.copy(path, data / f"{path.parent.name}_{path.name}")
        elif path.name == "domain.yml":
            shutil.copy(path, domain / f"{path.parent.name}.yml")
    shutil.copy(HERE / "stories.yml", data / "stories.yml")
    config = {
        "recipe": "default.v1",
        "assistant_id": "stock",
        "language": "en",
        "pipeline": pipeline(epochs),
        "policies": [
            {"name": "MemoizationPolicy"},
            {
                "name": "RulePolicy",
                "core_fallback_threshold": 0.3,
                "core_fallback_action_name": "action_lost",
                "enable_fallback_prediction": True,
            },
            {"name": "TEDPolicy", "max_history": 5, "epochs": 100, "constrain_similarities": True, "random_seed": 7},
        ],
    }
    # JSON is YAML.
    (folder / "config.yml").write_text(json.dumps(config), encoding="utf-8")
    (folder / "endpoints.yml").write_text(ENDPOINTS, encoding="utf-8")
    (folder / "credentials.yml").write_text("rest:\n", encoding="utf-8")
    result = train(
        str(domain), str(folder / "config.yml"), str(data), str(folder), fixed_model_name="model", force_training=True
    )
    if result.code or not result.model:
        raise SystemExit("Rasa did not train the stock bot")


if __name__ == "__main__":
    main()
