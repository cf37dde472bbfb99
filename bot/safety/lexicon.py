"""The words of the guard, which designers edit in ``data/safety/lexicon.yml``.

A *concept* is a name for words that mean the same to the guard (``SMELL``: smell, odor, stinks, huele ...). The rules
in `bot.safety.rules` combine concepts; they hold no words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from bot.safety.tokens import plain

LEXICON_FILE = Path(__file__).resolve().parents[2] / "data" / "safety" / "lexicon.yml"

ORDINARY_WORDS = "ordinary_words.txt"

_ENTRY_WORD = re.compile(r"#|[a-z0-9]+(?:\|[a-z0-9]*)*")
_CONCEPT = re.compile(r"[A-Z][A-Z0-9_]*")


class LexiconError(ValueError):
    """The lexicon cannot be used; the message says where and why."""


class ConceptEntry(BaseModel):
    """One concept as a designer writes it."""

    model_config = ConfigDict(extra="forbid")

    about: str = Field(min_length=3)
    typos: bool = Field(True, description="Whether near spellings of its longer words count")
    words: list[str] = Field(min_length=1)

    @field_validator("words", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        """Words may be written as one text, separated by commas."""
        return (
            [part.strip() for part in value.replace("\n", " ").split(",") if part.strip()]
            if isinstance(value, str)
            else value
        )


class LexiconFile(BaseModel):
    """The file as a whole."""

    model_config = ConfigDict(extra="forbid")

    version: str
    concepts: dict[str, ConceptEntry]
    harmless: dict[str, ConceptEntry]
    sounds_like: dict[str, str]
    glue: list[str]

    @field_validator("glue", mode="before")
    @classmethod
    def _words(cls, value: Any) -> Any:
        return value.split() if isinstance(value, str) else value


def expand(entry: str) -> Iterator[tuple[str, ...]]:
    """Write out an entry's forms: "rotten egg|s" gives ("rotten", "egg") and ("rotten", "eggs").

    Raises:
        LexiconError: if the entry is not made of words with optional ``|endings``.
    """
    choices: list[list[str]] = []
    for word in plain(entry.replace("|", "\x00")).replace("\x00", "|").split():
        if not _ENTRY_WORD.fullmatch(word):
            raise LexiconError(f"{entry!r}: a word is made of letters, with endings after '|', as in 'spark|s|ed|ing'")
        stem, *endings = word.split("|")
        choices.append([stem, *(stem + ending for ending in endings if ending)])
    if not choices:
        raise LexiconError("an empty entry")
    yield from product(*choices)


class Lexicon:
    """Words and phrases, each with what it means."""

    def __init__(self, file: LexiconFile, ordinary: Iterable[str] = ()) -> None:
        """Index the words.

        Args:
            file: what the designers wrote.
            ordinary: words that are never taken for misspelt key words.

        Raises:
            LexiconError: naming the concept and the entry that is wrong.
        """
        self.version = file.version
        #: What a word means by itself.
        self.single: dict[str, list[str]] = {}
        #: Phrases by their first and second word: what follows, and what the phrase means.
        self.phrases: dict[str, dict[str, list[tuple[tuple[str, ...], str]]]] = {}
        self.harmless = frozenset(file.harmless)
        self.vocabulary: set[str] = set()
        self.keywords: set[str] = set()
        self.glue = frozenset(word for entry in file.glue for word in (plain(entry),))
        self.ordinary = frozenset(ordinary)
        names = [*file.concepts, *file.harmless]
        for name in names:
            if not _CONCEPT.fullmatch(name):
                raise LexiconError(f"{name}: a concept's name is in capitals")
            if name in file.concepts and name in file.harmless:
                raise LexiconError(f"{name}: it stands both under concepts and under harmless")
        self.concepts = frozenset(names)
        for name, entry in [*file.concepts.items(), *file.harmless.items()]:
            for text in entry.words:
                try:
                    for form in expand(text):
                        self._add(form, name, entry.typos and name in file.concepts)
                except LexiconError as error:
                    raise LexiconError(f"{name}: {error}") from None
        self.sounds: dict[tuple[str, ...], tuple[str, ...]] = {}
        for said, meant in file.sounds_like.items():
            meaning = tuple(plain(meant).split())
            for word in meaning:
                if word not in self.vocabulary:
                    raise LexiconError(f"sounds_like: {said!r} means {meant!r}, but no concept has the word {word!r}")
            self.sounds[tuple(plain(said).split())] = meaning

    def _add(self, form: tuple[str, ...], name: str, typos: bool) -> None:
        if len(form) == 1:
            if name not in self.single.setdefault(form[0], []):
                self.single[form[0]].append(name)
        else:
            self.phrases.setdefault(form[0], {}).setdefault(form[1], []).append((form[2:], name))
        self.vocabulary.update(form)
        if typos and len(form) == 1 and form[0] not in self.glue:
            self.keywords.add(form[0])


@lru_cache(maxsize=4)
def load_lexicon(path: Path = LEXICON_FILE) -> Lexicon:
    """Read and check the lexicon.

    Raises:
        LexiconError: if the file is missing or wrong; the message names the place.
    """
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        ordinary = [
            word
            for line in path.with_name(ORDINARY_WORDS).read_text(encoding="utf-8").splitlines()
            if not line.startswith("#")
            for word in line.split()
        ]
        return Lexicon(LexiconFile.model_validate(raw), ordinary)
    except (OSError, yaml.YAMLError, LexiconError) as error:
        raise LexiconError(f"{path.name}: {error}") from None
    except ValidationError as error:
        lines = [f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}" for item in error.errors()]
        raise LexiconError(f"{path.name}: " + "; ".join(lines)) from None
