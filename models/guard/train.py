"""Makes models/guard/weights.npz, the guard's second opinion: ``make guard``.

Runs in the dialogue core's environment, for its scikit-learn. It learns from the designers' examples (data/), from
emergencies*.yml and near_misses*.yml beside it, and from the guard's development sets (tests/safety/own.yml, dev.yml);
never from the held-out set. The limits in bot/safety/weigh.py are chosen on tests/safety/tune.yml and tune_2.yml with a
model that has not seen them; ``--all`` then adds those sets for the model that is kept. Two models: one over words and
letters, one over the sentence encoder's vectors (make it again after `make encoder`).
"""

from __future__ import annotations

import importlib.util
import random
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import yaml
from scipy import sparse
from sklearn.linear_model import LogisticRegression

ROOT = Path(__file__).resolve().parents[2]
EMERGENCIES = ("gas_leak", "downed_wire", "carbon_monoxide", "fire_shock", "medical_equipment")


def _load(name: str, path: Path) -> ModuleType:
    # bot.safety's package imports what this environment lacks; these two files need only numpy.
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(str(path))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


sys.path.insert(0, str(ROOT))
from bot.core.encoder import load_encoder  # noqa: E402 - the project is importable only now

second = _load("second", ROOT / "bot" / "safety" / "second.py")


def damaged(text: str, rng: random.Random) -> str:
    """``text`` as typed in a hurry."""
    out = []
    for word in text.split():
        if len(word) > 3 and rng.random() < 0.2:
            at = rng.randrange(len(word) - 1)
            word = rng.choice([word[:at] + word[at + 1 :], word[:at] + word[at + 1] + word[at] + word[at + 2 :]])
        out.append(word)
    return " ".join(out)


def examples(with_tuning_set: bool) -> list[tuple[str, str, float]]:
    """``(text, kind, weight)``; harmless messages that sound alike weigh most, since the rules' errors are there."""
    found: list[tuple[str, str, float]] = []
    for path in sorted((ROOT / "data").glob("*/nlu.yml")):
        for block in yaml.safe_load(path.read_text(encoding="utf-8"))["nlu"]:
            kind = block["intent"] if block["intent"] in EMERGENCIES else "none"
            for line in str(block["examples"]).splitlines():
                text = line.strip()[2:].strip()
                if not text or (kind == "medical_equipment" and not _endangered(text)):
                    continue  # to be registered as dependent on equipment is no emergency, nor is it the contrary
                found.append((text, kind, 0.3 if kind == "none" else 1.5))
    here = ROOT / "models" / "guard"
    for path in sorted(here.glob("emergencies*.yml")):
        for kind, texts in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            found += [(str(text), kind, 1.5) for text in texts]
    for path in sorted(here.glob("near_misses*.yml")):
        found += [(str(text), "none", 3.0) for text in yaml.safe_load(path.read_text(encoding="utf-8"))]
    for name in ("own.yml", "dev.yml", *(["tune.yml", "tune_2.yml"] if with_tuning_set else [])):
        sets = yaml.safe_load((ROOT / "tests" / "safety" / name).read_text(encoding="utf-8"))
        found += [(str(item["text"]), str(item["kind"]), 1.5) for item in sets["emergencies"]]
        found += [(str(item["text"]), "none", 3.0) for item in sets["near_misses"]]
    return found


def _endangered(text: str) -> bool:
    words = set(second.words_of(text))
    return bool(
        words & {"out", "off", "power", "dark", "battery", "backup", "died", "dead", "lights", "electricity", "luz"}
        and not words & {"register", "form", "sign", "apply", "program", "discount", "list", "application", "note"}
    )


def main() -> None:
    """Train and write."""
    rng = random.Random(7)
    clean = examples("--all" in sys.argv)
    worth = [row for row in clean if row[1] != "none" or row[2] > 1]
    rows = clean + [(damaged(text, rng), kind, weight * 0.5) for text, kind, weight in worth * 2]
    indptr, indices, data = [0], [], []
    for text, _, _ in rows:
        found = second.grams(second.words_of(text)[: 3 * second.WINDOW_WORDS])
        indices += found
        data += [1 / np.sqrt(max(1, len(found)))] * len(found)
        indptr.append(len(indices))
    features = sparse.csr_matrix((data, indices, indptr), shape=(len(rows), second.SIZE))
    labels = np.array([second.KINDS.index(kind) for _, kind, _ in rows])
    weights = np.array([weight for _, _, weight in rows])
    print(f"{len(rows)} messages, {np.bincount(labels).tolist()} of {second.KINDS}", flush=True)
    model = LogisticRegression(C=20.0, max_iter=150, tol=1e-3).fit(features, labels, sample_weight=weights)
    seen = [row for row in rows if second.words_of(row[0])]
    print(f"reading the meaning of {len(seen)} messages", flush=True)
    vectors = load_encoder(str(ROOT / "models" / "encoder")).encode(
        [" ".join(second.words_of(text)[: 3 * second.WINDOW_WORDS]) for text, _, _ in seen]
    )
    kinds = np.array([second.KINDS.index(kind) for _, kind, _ in seen])
    meant = LogisticRegression(C=30.0, max_iter=400, tol=1e-3).fit(
        vectors, kinds, sample_weight=np.array([weight for _, _, weight in seen])
    )
    target = ROOT / "models" / "guard" / "weights.npz"
    np.savez_compressed(
        target,
        coefficients=model.coef_.astype(np.float16),
        intercepts=model.intercept_.astype(np.float32),
        meaning_coefficients=meant.coef_.astype(np.float32),
        meaning_intercepts=meant.intercept_.astype(np.float32),
    )
    print(f"{target.relative_to(ROOT)}: {target.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main()
