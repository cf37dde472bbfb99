"""The pipeline's one part: a Rasa graph component around `bot.core.understanding`.

It sets the intent to the reading to act on; to ``nlu_fallback`` with the readings in ``intent_ranking`` when a question
between them is needed; to ``out_of_scope`` when the sentence is nothing we do. Commands of the gateway (``/intent``)
pass.
"""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from typing import Any, Dict, List, Optional, Text

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.constants import INTENT, INTENT_NAME_KEY, PREDICTED_CONFIDENCE_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.core.encoder import load_encoder
from bot.core.understanding import Decision, Thresholds, Understanding

ASK = "nlu_fallback"
KEPT_READINGS = 4


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class HybridClassifier(GraphComponent, IntentClassifier):
    """Words, letters and meaning; act, ask or refuse."""

    @staticmethod
    def get_default_config() -> Dict[Text, Any]:
        """See `Understanding` for what the numbers mean."""
        return {
            "encoder": "models/encoder",
            "weights": [0.4, 0.3, 0.2],
            "sparse_c": 1.0,
            "dense_c": 10.0,
            "temperature": 0.5,
            "act": 0.5,
            "lead": 0.1,
            "ask": 0.5,
            "scope": 0.4,
        }

    def __init__(self, config: Dict[Text, Any], storage: ModelStorage, resource: Resource) -> None:
        """Made by ``create`` or ``load``."""
        self._config = config
        self._storage = storage
        self._resource = resource
        self._model: Optional[Understanding] = None

    @classmethod
    def create(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "HybridClassifier":
        """An untrained component."""
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> "HybridClassifier":
        """A trained component from the model's archive."""
        component = cls(config, model_storage, resource)
        with model_storage.read_from(resource) as folder:
            state = pickle.loads((Path(folder) / "understanding.pkl").read_bytes())
        component._model = component._blank().restore(state)
        return component

    def _blank(self) -> Understanding:
        config = self._config
        return Understanding(
            load_encoder(config["encoder"]),
            tuple(float(part) for part in config["weights"]),
            float(config["sparse_c"]),
            float(config["dense_c"]),
            float(config["temperature"]),
            Thresholds(float(config["act"]), float(config["lead"]), float(config["ask"]), float(config["scope"])),
        )

    def train(self, training_data: TrainingData) -> Resource:
        """Learn from the intent examples; progress goes to the terminal."""
        examples = [item for item in training_data.intent_examples if item.get(TEXT)]
        model = self._blank().fit(
            [item.get(TEXT) for item in examples], [item.get(INTENT) for item in examples], report=_say
        )
        self._model = model
        with self._storage.write_to(self._resource) as folder:
            (Path(folder) / "understanding.pkl").write_bytes(pickle.dumps(model.state()))
        return self._resource

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Nothing downstream needs features."""
        return training_data

    def process(self, messages: List[Message]) -> List[Message]:
        """Set each message's intent and ranking."""
        for message in messages:
            text = message.get(TEXT)
            if text is None or text.startswith("/"):
                continue  # a command that the gateway vouches for (the channel takes no other): Rasa unpacks it
            if self._model is None:
                raise RuntimeError("the classifier is not trained")
            _apply(message, self._model.decide(text))
        return messages


def _apply(message: Message, decision: Decision) -> None:
    ranking = [
        {INTENT_NAME_KEY: reading.intent, PREDICTED_CONFIDENCE_KEY: round(reading.confidence, 4)}
        for reading in decision.readings[:KEPT_READINGS]
    ]
    first = ranking[0]
    if decision.kind == "ask":
        first = {INTENT_NAME_KEY: ASK, PREDICTED_CONFIDENCE_KEY: first[PREDICTED_CONFIDENCE_KEY]}
    message.set(INTENT, dict(first), add_to_output=True)
    message.set("intent_ranking", ranking, add_to_output=True)


def _say(line: str) -> None:
    print(f"  understanding: {line}", file=sys.stderr, flush=True)
