"""A guard with one rule a kind, for tests of what happens around the guard; the real one has tests of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class FoundEmergency:
    kind: str
    confidence: float = 0.98
    language: str = "en"


class WordGuard:
    RULES: ClassVar[dict[str, str]] = {"smell gas": "gas_leak", "wire down": "downed_wire", "huele a gas": "gas_leak"}

    def check(self, text: str, language: str | None = None) -> FoundEmergency | None:
        for words, kind in self.RULES.items():
            if words in text.lower():
                return FoundEmergency(kind, language="es" if words.startswith("huele") else "en")
        return None


def word_script(kind: str, channel: str, language: str) -> str:
    return f"SCRIPT {kind} {channel} {language}"
