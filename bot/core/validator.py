"""Checks before training that matter here: the data are consistent and the domain is whole."""

from __future__ import annotations

from typing import Any, Dict, Text

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.core.domain import InvalidDomain
from rasa.shared.importers.importer import TrainingDataImporter


class DefaultV1RecipeValidator(GraphComponent):
    """Stands in for Rasa's validator of the same name, which imports the neural components."""

    @classmethod
    def create(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> DefaultV1RecipeValidator:
        """Called by Rasa."""
        return cls()

    def validate(self, importer: TrainingDataImporter) -> TrainingDataImporter:
        """Pass the importer on if its data can be trained on.

        Raises:
            InvalidDomain: examples for an intent that no domain file lists, or an intent without examples.
        """
        data = importer.get_nlu_data()
        data.validate()
        listed, taught = set(importer.get_domain().intents), set(data.intents)
        unknown = sorted(taught - listed)
        if unknown:
            raise InvalidDomain(f"Examples for intents that no domain.yml lists: {', '.join(unknown)}")
        return importer
