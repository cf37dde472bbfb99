"""Lets Rasa run where TensorFlow is not installed.

Nothing in the path of a turn uses TensorFlow, yet Rasa 3.6 imports it in three places: two helpers for training neural
models, the default recipe's list of components, and the validator of that recipe. This module stands in for those three
before Rasa is imported. The environment is 848 MB instead of 2.8 GB, and a server starts in seconds.
"""

from __future__ import annotations

import importlib.util
import sys
import types
from typing import Any

_HELPERS = {
    "rasa.utils.tensorflow.callback": ("RasaTrainingLogger", "RasaModelCheckpoint"),
    "rasa.utils.tensorflow.data_generator": (
        "RasaBatchDataGenerator",
        "RasaDataGenerator",
    ),
}


class NeedsTensorFlow:
    """What a neural component of Rasa becomes here; using one says what to do."""

    def __init__(self, *_: Any, **__: Any) -> None:
        raise RuntimeError("This Rasa component needs TensorFlow, which Porchlight's environment leaves out")


def _module(name: str, **members: Any) -> None:
    module = types.ModuleType(name)
    module.__dict__.update(members)
    sys.modules[name] = module


def prepare() -> bool:
    """Put the stand-ins in place. Call it before anything of Rasa is imported.

    Returns:
        Whether stand-ins were needed; False where TensorFlow is installed (the benchmark's stock environment).
    """
    if importlib.util.find_spec("tensorflow") is not None:
        return False
    for name, members in _HELPERS.items():
        _module(name, **{member: type(member, (NeedsTensorFlow,), {}) for member in members})
    from bot.core.validator import DefaultV1RecipeValidator

    _module(
        "rasa.graph_components.validators.default_recipe_validator", DefaultV1RecipeValidator=DefaultV1RecipeValidator
    )
    _module("rasa.engine.recipes.default_components", DEFAULT_COMPONENTS=_components())
    return True


def _components() -> list[type]:
    """The default recipe's components without the neural ones."""
    from rasa.core.policies.memoization import AugmentedMemoizationPolicy, MemoizationPolicy
    from rasa.core.policies.rule_policy import RulePolicy
    from rasa.nlu.classifiers.fallback_classifier import FallbackClassifier
    from rasa.nlu.classifiers.keyword_intent_classifier import KeywordIntentClassifier
    from rasa.nlu.classifiers.logistic_regression_classifier import LogisticRegressionClassifier
    from rasa.nlu.extractors.entity_synonyms import EntitySynonymMapper
    from rasa.nlu.extractors.regex_entity_extractor import RegexEntityExtractor
    from rasa.nlu.featurizers.sparse_featurizer.count_vectors_featurizer import CountVectorsFeaturizer
    from rasa.nlu.featurizers.sparse_featurizer.regex_featurizer import RegexFeaturizer
    from rasa.nlu.tokenizers.whitespace_tokenizer import WhitespaceTokenizer

    return [
        FallbackClassifier,
        KeywordIntentClassifier,
        LogisticRegressionClassifier,
        EntitySynonymMapper,
        RegexEntityExtractor,
        CountVectorsFeaturizer,
        RegexFeaturizer,
        WhitespaceTokenizer,
        RulePolicy,
        MemoizationPolicy,
        AugmentedMemoizationPolicy,
    ]
