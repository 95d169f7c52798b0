"""The photographs are read as they lie in the folder, with their tracks; decoded once; and what is wrong is
named with its remedy.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torchvision.datasets

import wmlearn as wm
from wmlearn.data import files, gtsrb

N_CLASSES, TRACKS, FRAMES, N_TESTS = 43, 2, 3, 5


def _ppm(path: Path, width: int, height: int, colour: tuple[int, int, int]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"P6\n%d %d\n255\n" % (width, height) + bytes(colour) * (width * height))


def _colour(label: int, track: int, frame: int) -> tuple[int, int, int]:
    return label, 100 + track, 200 + frame


def _tree(root: Path) -> None:
    """Two tracks of three photographs for each class, five tests; the colour tells class, track and frame."""
    base = root / "gtsrb"
    for label in range(N_CLASSES):
        for track in range(TRACKS):
            for frame in range(FRAMES):
                path = base / "GTSRB" / "Training" / f"{label:05}" / f"{track:05}_{frame:05}.ppm"
                _ppm(path, 20 + 10 * frame, 32, _colour(label, track, frame))
    rows = ["Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId"]
    for i in range(N_TESTS):
        _ppm(base / "GTSRB" / "Final_Test" / "Images" / f"{i:05}.ppm", 32, 32, _colour(2 * i, 0, 0))
        rows.append(f"{i:05}.ppm;32;32;5;5;27;27;{2 * i}")
    (base / "GT-final_test.csv").write_text("\n".join(rows) + "\n")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("source")
    _tree(root)
    return root


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(files, "CACHE", tmp_path / "cache")
    return tmp_path / "cache"


@pytest.fixture
def root(source: Path, tmp_path: Path) -> Path:
    """A tree of one's own, to damage."""
    return Path(shutil.copytree(source, tmp_path / "own"))


def _training(root: Path, name: str) -> Path:
    return root / "gtsrb" / "GTSRB" / "Training" / name


def _is_whole(splits: wm.Splits) -> bool:
    sizes = len(splits.train), len(splits.test)
    return sizes == (N_CLASSES * TRACKS * FRAMES, N_TESTS) and splits.test.y.tolist() == [0, 2, 4, 6, 8]


def _kept(cache: Path) -> Path:
    (path,) = (cache / "decoded").iterdir()
    return path


def test_photographs_come_by_class_track_and_frame_with_their_groups(source: Path) -> None:
    train = wm.load("gtsrb", root=source).train
    expected = [
        (label, track, frame)
        for label in range(N_CLASSES)
        for track in range(TRACKS)
        for frame in range(FRAMES)
    ]
    assert train.x.shape == (len(expected), 3, 32, 32)
    assert train.y.tolist() == [label for label, _, _ in expected]
    assert train.groups is not None
    assert train.groups.tolist() == [label * 1000 + track for label, track, _ in expected]
    assert (train.x * 255).round().int()[:, :, 16, 16].tolist() == [list(_colour(*each)) for each in expected]


def test_tests_take_their_labels_from_the_list_and_each_is_a_group(source: Path) -> None:
    train, test = (part for part in vars(wm.load("gtsrb", root=source)).values())
    assert test.y.tolist() == [0, 2, 4, 6, 8]
    assert (test.x * 255).round().int()[:, :, 0, 0].tolist() == [
        list(_colour(2 * i, 0, 0)) for i in range(N_TESTS)
    ]
    assert test.groups.tolist() == [43_000 + i for i in range(N_TESTS)]
    assert not set(test.groups.tolist()) & set(train.groups.tolist())


def test_other_sizes_are_scaled_without_aliasing(root: Path) -> None:
    size, path = 128, _training(root, "00000") / "00000_00000.ppm"
    stripes = bytes(255 * (column % 2) for _ in range(size) for column in range(size) for _ in range(3))
    path.write_bytes(b"P6\n128 128\n255\n" + stripes)
    image = wm.load("gtsrb", root=root).train.x[0]
    # every other pixel of a quarter of the size: grey, not black or white
    assert (image - 0.5).abs().max() < 0.05


def test_the_folder_inside_is_a_root_as_well(source: Path) -> None:
    assert _is_whole(wm.load("gtsrb", root=source / "gtsrb"))
    assert _is_whole(wm.load("gtsrb", root=str(source)))


def test_the_classes_are_those_of_the_drawn_german_signs() -> None:
    assert tuple(sign.name for sign in wm.data.signs.COUNTRIES["de"]) == gtsrb.CLASSES
    assert len(set(gtsrb.CLASSES)) == N_CLASSES
    assert (gtsrb.CLASSES[0], gtsrb.CLASSES[14], gtsrb.CLASSES[42]) == (
        "speed limit 20",
        "stop",
        "end of no passing for trucks",
    )


@pytest.mark.parametrize(
    ("n", "words"),
    [
        (26_640, "the training set of the first phase, 26,640 photographs"),
        (39_209, "the final training set, 39,209 photographs"),
        (258, "part of a training set, 258 photographs"),
    ],
)
def test_the_edition_is_named(n: int, words: str) -> None:
    assert gtsrb.edition(n) == words


# What is decoded is kept


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Write down which photographs get decoded."""
    paths, decode = [], gtsrb._decode

    def noted(path: Path, fix: str) -> object:
        paths.append(path)
        return decode(path, fix)

    monkeypatch.setattr(gtsrb, "_decode", noted)
    return paths


N_ALL = N_CLASSES * TRACKS * FRAMES + N_TESTS


def test_photographs_are_decoded_once(source: Path, cache: Path, decoded: list[Path]) -> None:
    first, again = wm.load("gtsrb", root=source), wm.load("gtsrb", root=source)
    assert len(decoded) == N_ALL
    assert first.train.x.equal(again.train.x)
    assert first.test.x.equal(again.test.x)
    assert _kept(cache).suffix == ".safetensors"


def test_two_folders_keep_their_own(source: Path, root: Path, cache: Path, decoded: list[Path]) -> None:
    for folder in (source, root, source, root):
        assert _is_whole(wm.load("gtsrb", root=folder))
    assert len(decoded) == 2 * N_ALL
    assert len(list((cache / "decoded").iterdir())) == 2


def test_a_changed_folder_is_decoded_again(root: Path, cache: Path, decoded: list[Path]) -> None:
    wm.load("gtsrb", root=root)
    _ppm(_training(root, "00003") / "00002_00000.ppm", 32, 32, (1, 2, 3))
    assert len(wm.load("gtsrb", root=root).train) == N_ALL - N_TESTS + 1
    assert len(decoded) == 2 * N_ALL + 1
    _ppm(_training(root, "00003") / "00002_00000.ppm", 15, 15, (250, 2, 3))
    assert 250 in (wm.load("gtsrb", root=root).train.x * 255).round()
    _kept(cache)  # one file still


@pytest.mark.parametrize("content", [b"", b"garbage", None])
def test_a_damaged_cache_is_built_again(
    source: Path, cache: Path, decoded: list[Path], content: bytes | None
) -> None:
    first = wm.load("gtsrb", root=source)
    path = _kept(cache)
    path.write_bytes(path.read_bytes()[:-1000] if content is None else content)
    assert wm.load("gtsrb", root=source).train.x.equal(first.train.x)
    assert wm.load("gtsrb", root=source).train.x.equal(first.train.x)
    assert len(decoded) == 2 * N_ALL


def test_without_a_place_for_the_cache_photographs_are_decoded_each_time(
    source: Path, cache: Path, decoded: list[Path]
) -> None:
    cache.write_text("not a folder")
    for _ in range(2):
        assert _is_whole(wm.load("gtsrb", root=source))
    assert len(decoded) == 2 * N_ALL


# What is wrong is named


def _lose_class(root: Path) -> None:
    shutil.rmtree(_training(root, "00007"))


def _misname(root: Path) -> None:
    (_training(root, "00007") / "00000_00000.ppm").rename(_training(root, "00007") / "nonsense.ppm")


def _lose_list(root: Path) -> None:
    (root / "gtsrb" / "GT-final_test.csv").unlink()


def _other_list(root: Path) -> None:
    (root / "gtsrb" / "GT-final_test.csv").write_text("name,label\na.ppm,3\n")


def _empty_list(root: Path) -> None:
    (root / "gtsrb" / "GT-final_test.csv").write_text("Filename;ClassId\n")


def _lose_tests(root: Path) -> None:
    for i in (1, 3):
        (root / "gtsrb" / "GTSRB" / "Final_Test" / "Images" / f"{i:05}.ppm").unlink()


def _lose_all(root: Path) -> None:
    shutil.rmtree(root / "gtsrb" / "GTSRB")


def _lose_photographs(root: Path) -> None:
    """Keep the list that comes with a class, and lose two of its six photographs."""
    names = [f"{track:05}_{frame:05}.ppm" for track in range(TRACKS) for frame in range(FRAMES)]
    (_training(root, "00007") / "GT-00007.csv").write_text(
        "\n".join(["Filename;ClassId", *(f"{name};7" for name in names)]) + "\n"
    )
    for name in names[1:3]:
        (_training(root, "00007") / name).unlink()


WRONG: dict[str, tuple[Callable[[Path], None], str]] = {
    "no photographs": (_lose_all, "{root} must hold gtsrb/GTSRB/, got nothing of that name."),
    "a class": (
        _lose_class,
        "{training}/00007 must hold photographs of class 7 (speed limit 100), got none.",
    ),
    "some of a class": (
        _lose_photographs,
        (
            "{training}/00007 must hold the photographs that GT-00007.csv lists, got 2 of 6 missing,"
            " 00000_00001.ppm the first."
        ),
    ),
    "a name": (
        _misname,
        "{training}/00007/nonsense.ppm must be called <track>_<frame>.ppm, got another name.",
    ),
    "no list": (
        _lose_list,
        "{base}/GT-final_test.csv must list photographs (Filename;…;ClassId), got FileNotFoundError(",
    ),
    "another list": (
        _other_list,
        "{base}/GT-final_test.csv must list photographs (Filename;…;ClassId), got KeyError(",
    ),
    "an empty list": (
        _empty_list,
        "{tests} must hold the photographs that GT-final_test.csv lists, got an empty list.",
    ),
    "tests": (
        _lose_tests,
        (
            "{tests} must hold the photographs that GT-final_test.csv lists, got 2 of 5 missing, 00001.ppm"
            " the first."
        ),
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_an_incomplete_folder_says_what_is_missing(root: Path, case: str) -> None:
    damage, words = WRONG[case]
    damage(root)
    base = root / "gtsrb"
    places = {
        "root": root,
        "base": base,
        "training": base / "GTSRB" / "Training",
        "tests": base / "GTSRB" / "Final_Test" / "Images",
    }
    message = words.format(**places)
    with pytest.raises(
        wm.ArgumentError,
        match=rf"^{re.escape(message)}.* Name the folder that holds gtsrb/, or fetch it again\.$",
    ):
        wm.load("gtsrb", root=root)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        wm.ArgumentError,
        match=rf"^{re.escape(str(tmp_path / 'nowhere'))} must hold gtsrb/GTSRB/, got nothing of that name\.",
    ):
        wm.load("gtsrb", root=tmp_path / "nowhere")


@pytest.mark.parametrize("content", [b"", b"P6\n32 32\n255\nshort", b"P6\nx", b"GIF"])
def test_a_damaged_photograph_is_named(root: Path, cache: Path, content: bytes) -> None:
    path = _training(root, "00009") / "00001_00002.ppm"
    path.write_bytes(content)
    with pytest.raises(
        wm.DataError, match=rf"^{re.escape(str(path))} must be a whole PPM image, got: .* Name the folder"
    ):
        wm.load("gtsrb", root=root)
    assert not cache.exists()


# It is fetched by torchvision


def _torchvision(source: Path, also: Callable[[Path], object] = lambda whole: None) -> Callable[..., None]:
    """Stand in for torchvision.datasets.GTSRB: unpack a part beside its archive, then do what `also` says."""

    def fetch(root: str | Path, split: str, *, download: bool) -> None:
        assert download
        whole, name = Path(root), {"train": "Training", "test": "Final_Test"}[split]
        shutil.copytree(source / "gtsrb" / "GTSRB" / name, whole / "gtsrb" / "GTSRB" / name)
        (whole / "gtsrb" / f"{name}.zip").write_bytes(b"archive")
        if split == "test":
            shutil.copy(source / "gtsrb" / "GT-final_test.csv", whole / "gtsrb")
            also(whole)

    return fetch


def test_a_download_happens_once_and_leaves_no_archives(
    source: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Path] = []
    monkeypatch.setattr(torchvision.datasets, "GTSRB", _torchvision(source, calls.append))
    for _ in range(2):
        assert _is_whole(wm.load("gtsrb"))
    assert len(calls) == 1
    assert sorted(path.name for path in cache.iterdir()) == ["decoded", "gtsrb"]
    assert not list(cache.rglob("*.zip"))
    assert _is_whole(wm.load("gtsrb", download=False))


def test_an_incomplete_download_says_to_fetch_it_again(
    source: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torchvision.datasets, "GTSRB", _torchvision(source, _lose_class))
    with pytest.raises(
        wm.ArgumentError, match=rf"got none\. Delete {re.escape(str(cache / 'gtsrb'))} and fetch it again\.$"
    ):
        wm.load("gtsrb")


DECODES = """
import sys, wmlearn as wm
from pathlib import Path
from wmlearn.data import files
files.CACHE = Path(sys.argv[1])
print(wm.load("gtsrb", root=sys.argv[2]).train)
"""


def test_two_processes_may_decode_at_once(
    source: Path, tmp_path: Path, at_once: Callable[..., list[str]]
) -> None:
    printed = at_once(DECODES, (tmp_path, source), (tmp_path, source))
    assert printed == ["Samples(258 images (3, 32, 32), 43 classes)\n"] * 2
    assert len(list((tmp_path / "decoded").iterdir())) == 1


# The real photographs, where they are

COUNTS = (
    210, 2220, 2250, 1410, 1980, 1860, 420, 1440, 1410, 1470, 2010, 1320, 2100, 2160, 780,
    630, 420, 1110, 1200, 210, 360, 330, 390, 510, 270, 1500, 600, 240, 540, 270,
    450, 780, 240, 689, 420, 1200, 390, 210, 2070, 300, 360, 240, 240,
)  # fmt: skip


def test_all_photographs_are_there(photographs: wm.Splits) -> None:
    assert (len(photographs.train), len(photographs.test)) == (39_209, 12_630)
    assert gtsrb.edition(len(photographs.train)).startswith("the final training set")
    assert tuple(torch.bincount(photographs.train.y).tolist()) == COUNTS
    assert [int((photographs.test.y == label).sum()) for label in (0, 2, 14)] == [60, 750, 270]


def test_tracks_are_thirty_photographs_of_one_class(photographs: wm.Splits) -> None:
    groups, counts = torch.as_tensor(photographs.train.groups).unique(return_counts=True)
    assert (len(groups), sorted(set(counts.tolist()))) == (1307, [29, 30])
    assert (torch.as_tensor(photographs.train.groups) // 1000).equal(photographs.train.y)


def test_photographs_of_one_track_are_alike_and_a_split_keeps_them_together(photographs: wm.Splits) -> None:
    learn, validate = wm.split(photographs.train, 35_000, 4_000)
    assert not set(torch.as_tensor(learn.groups).tolist()) & set(torch.as_tensor(validate.groups).tolist())
    assert abs(len(learn) - 35_000) <= 15
    assert abs(len(validate) - 4_000) <= 30
    shares = torch.bincount(validate.y, minlength=N_CLASSES) - torch.tensor(COUNTS) * len(validate) / 39_209
    assert shares.abs().max() <= 45  # images: of a track and a half
