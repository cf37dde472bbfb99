"""Twilio's own description of its REST API, where it lies beside the project, as JSON Schemas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

DESCRIPTION = Path(__file__).resolve().parents[3] / "shared" / "standards" / "twilio" / "twilio_api_v2010.json"


def description() -> dict[str, Any]:
    """The whole document; the test is left out where it is not."""
    if not DESCRIPTION.exists():
        pytest.skip("Twilio's API description is not beside the project (../shared/standards/twilio)")
    document: dict[str, Any] = json.loads(DESCRIPTION.read_text(encoding="utf-8"))
    return document


def described(name: str) -> dict[str, Any]:
    """A schema of Twilio's OpenAPI document as JSON Schema."""

    def convert(node: Any) -> Any:
        if isinstance(node, list):
            return [convert(one) for one in node]
        if not isinstance(node, dict):
            return node
        made = {key: convert(value) for key, value in node.items() if key not in ("format", "x-twilio")}
        if made.pop("nullable", False) and isinstance(made.get("type"), str):
            made["type"] = [made["type"], "null"]
        return made

    return {"$ref": f"#/components/schemas/{name}", "components": convert(description()["components"])}
