"""Spoken digits: by machines, which ship with the course, and by six people, which are fetched.

Z. Jackson, C. Souza, J. Flaks, Y. Pan, H. Nicolas, A. Thite: Free Spoken Digit Dataset, 2018,
doi:10.5281/zenodo.1342401; CC BY-SA 4.0. `voices` makes the machines' digits.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import torch

from ..errors import ArgumentError, DataError, require
from . import files
from .digits import DIGITS
from .recordings import clip, expand, read_wav
from .samples import Samples, Splits

MACHINES = "spoken/machine-digits.safetensors"
COMMIT = "26eb9aaf76e81b692f806f9140c2d2777410d7a1"
ADDRESS = f"https://codeload.github.com/Jakobovski/free-spoken-digit-dataset/tar.gz/{COMMIT}"
DIGEST = "57145c683e34928f24224dfb710b86dae823395104d906796be6a97ddab2b8c2"
"""Of all recordings, by `digest`: the archive that GitHub packs anew may have other bytes each time."""
TAKES = 5  # of each digit and speaker, 0 to 4: the test set, as the set's own README divides it
MOST_BYTES = 2**26  # of the archive, which has 16 MB
NAME = re.compile(r"(\d+)_([A-Za-z-]+)_(\d+)\.wav")
FIX = "Name the folder of the recordings, <digit>_<speaker>_<take>.wav, or fetch them again."


@dataclass(frozen=True)
class _Recording:
    path: Path
    digit: int
    speaker: str
    take: int


def load_machine_digits(root: Path | None, download: bool) -> Splits:
    """Load 1,000 digits spoken by 100 machine voices, 800 to train on and 200 by other voices, to test.

    Clips are (N, 1, 1, 6400), `groups` numbers the voice. Raises `DataError` for a damaged file.
    """
    from safetensors.torch import load

    del download  # nothing to fetch
    require(root is None, "machine-digits must have no root, since they ship with the course", root)
    tensors = load(files.shipped(MACHINES))
    waves = expand(tensors["mu_law"]).split(tensors["length"].tolist())
    every = Samples(torch.stack([clip(sound) for sound in waves]), tensors["digit"], DIGITS, tensors["voice"])
    test = tensors["is_test"].bool()
    return Splits(every[~test], every[test])


def load_spoken_digits(root: Path | None, download: bool) -> Splits:
    """Load 3,000 digits spoken by six people, from a folder of WAV files or from the cache folder.

    Takes 0 to 4 of each speaker and digit are the test set (300), as its authors divide it; so both sets hold
    all speakers. Clips are (N, 1, 1, 6400), `groups` numbers the speakers by the alphabet. A folder may hold
    recordings of your own under such names: 8,000 samples a second, one channel, 16 bits. Raises
    `ArgumentError` for a folder without recordings for both sets or one of another kind, `DataError` for a
    damaged file or a failed download.
    """
    if root is None:
        root = files.fetch("spoken-digits", "the Free Spoken Digit Dataset", _download, download=download)
    recordings = _listed(root)
    test = torch.tensor([recording.take < TAKES for recording in recordings])
    rule = f"{root} must hold takes 0 to {TAKES - 1}, to test, and others, to train on"
    require(bool(test.any() and not test.all()), rule, f"{int(test.sum())} of {len(test)} to test", FIX)
    every = _samples(recordings)
    return Splits(every[~test], every[test])


def _listed(root: Path) -> list[_Recording]:
    """List the recordings by name, of `root` or of its folder `recordings`."""
    folder = next((place for place in (root / "recordings", root) if place.is_dir()), None)
    if folder is None:
        raise ArgumentError(f"{root} must be a folder of recordings, got no folder. {FIX}")
    paths = sorted(folder.glob("*.wav"))
    if not paths:
        raise ArgumentError(f"{folder} must hold recordings, got none. {FIX}")
    return [_recording(path) for path in paths]


def _recording(path: Path) -> _Recording:
    match = NAME.fullmatch(path.name)
    if not match:
        raise ArgumentError(f"{path} must be called <digit>_<speaker>_<take>.wav, got another name. {FIX}")
    digit, speaker, take = match.groups()
    require(digit in DIGITS, f"{path} must be of a digit 0 to 9", digit, FIX)
    return _Recording(path, int(digit), speaker, int(take[:9]))


def _samples(recordings: Sequence[_Recording]) -> Samples:
    speakers = sorted({recording.speaker for recording in recordings})
    x = torch.stack([_clip(recording.path) for recording in recordings])
    y = torch.tensor([recording.digit for recording in recordings])
    groups = torch.tensor([speakers.index(recording.speaker) for recording in recordings])
    return Samples(x, y, DIGITS, groups)


def _clip(path: Path) -> torch.Tensor:
    sound = read_wav(path)
    require(bool(sound.any()), f"{path} must hold a sound", "silence", "Record it again.")
    return clip(sound)


def _download(temporary: Path) -> Path:
    """Fetch the archive, and keep the recordings if they are the right ones."""
    with urlopen(ADDRESS, timeout=60) as answer:
        raw = answer.read(MOST_BYTES)
    folder = temporary / "recordings"
    folder.mkdir()
    try:
        with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
            for member in archive:
                _unpack(archive, member, folder)
    except (tarfile.TarError, EOFError) as error:
        raise DataError(f"{ADDRESS} must be an archive, got: {error}. Try again later.") from error
    found = digest(folder)
    if found != DIGEST:
        rule = f"{ADDRESS} must hold the recordings with sha256 {DIGEST[:12]}…"
        raise DataError(f"{rule}, got {found[:12]}…. Try again, or pass root=.")
    return folder


def _unpack(archive: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    """Write a member that is a recording; the name is our own, so that it can't lead elsewhere."""
    parts = Path(member.name).parts
    if len(parts) == 3 and parts[1] == "recordings" and NAME.fullmatch(parts[2]) and member.isfile():
        content = archive.extractfile(member)
        assert content is not None
        (folder / parts[2]).write_bytes(content.read())


def digest(folder: Path) -> str:
    """Return the sha256 of names and contents of all recordings in a folder, in the order of the names."""
    sums = {path.name: hashlib.sha256(files.read(path)).hexdigest() for path in sorted(folder.glob("*.wav"))}
    return hashlib.sha256(json.dumps(sums, sort_keys=True).encode()).hexdigest()
