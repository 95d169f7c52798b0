"""Files of secrets stay their owner's, new files never replace others, and what has a name is on the disk."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

import wmlearn as wm
from wmlearn.data import files
from wmlearn.errors import SecretWarning

pytestmark = pytest.mark.skipif(os.name != "posix", reason="permission bits are POSIX")
UMASKS = (0o000, 0o022, 0o077, 0o277)


@pytest.fixture(params=UMASKS, ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _content(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


def test_a_secret_is_its_owners_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    files.new(tmp_path / "new", _content(b"secret"), mode=files.PRIVATE)
    files.whole_or_nothing(tmp_path / "written", _content(b"secret"), mode=files.PRIVATE)
    assert _mode(tmp_path / "new") == _mode(tmp_path / "written") == 0o600


def test_other_files_get_what_the_umask_leaves(tmp_path: Path, umask: int) -> None:
    files.write(tmp_path / "file", b"public")
    assert _mode(tmp_path / "file") == 0o666 & ~umask
    assert os.umask(umask) == umask, "the umask itself stays"


def test_a_secret_that_others_can_read_is_said(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    files.new(path, _content(b"secret"), mode=files.PRIVATE)
    files.warn_of_readers(path)
    path.chmod(0o640)
    with pytest.warns(SecretWarning, match=r"others may read it \(mode 0640\)\. Run `chmod 600 .*secret`"):
        files.warn_of_readers(path)


@pytest.mark.parametrize("kind", ["file", "folder", "dangling link"])
def test_a_new_file_never_replaces_what_is_there(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "place"
    if kind == "file":
        path.write_bytes(b"old")
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(tmp_path / "nowhere")
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(wm.DataError, match="place must not be there yet, got a file that stays as it is"):
        files.new(path, _content(b"new"))
    assert sorted(os.listdir(tmp_path)) == before
    assert kind != "file" or path.read_bytes() == b"old"


@pytest.mark.parametrize("links", [True, False])
def test_of_two_who_write_one_new_file_one_wins_and_one_is_told(
    links: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not links:  # as on a memory stick

        def refuse(*_: object, **__: object) -> None:
            raise PermissionError(1, "Operation not permitted")

        monkeypatch.setattr(files.os, "link", refuse)
    for number in range(20):
        path = tmp_path / str(number)
        meeting = threading.Barrier(2)
        told: list[bytes] = []

        def write(content: bytes, path: Path = path, meeting: threading.Barrier = meeting) -> None:
            def make(temporary: Path) -> None:
                temporary.write_bytes(content)
                meeting.wait(60)

            try:
                files.new(path, make, mode=files.PRIVATE)
            except wm.DataError:
                told.append(content)  # noqa: B023

        both = [threading.Thread(target=write, args=(content,)) for content in (b"one", b"two")]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
        assert sorted([path.read_bytes(), *told]) == [b"one", b"two"]
    assert sorted(os.listdir(tmp_path), key=int) == [str(number) for number in range(20)]


KEYGEN = """
import sys
from pathlib import Path
from wmlearn import WmlearnError
from wmlearn.ownership import new_identity, save_identity
for number in range(int(sys.argv[2])):
    person = new_identity("Ada")
    while not Path(sys.argv[1], f"go{number}").exists():
        pass
    try:
        save_identity(person, Path(sys.argv[1], f"{number}.secret"))
        print(person.public)
    except WmlearnError:
        print("told")
    sys.stdout.flush()
"""


@pytest.mark.slow
def test_of_two_keygens_to_one_path_none_loses_a_secret_that_it_reported(tmp_path: Path) -> None:
    from wmlearn.ownership import load_identity

    n = 100
    command = [sys.executable, "-c", KEYGEN, str(tmp_path), str(n)]
    with ExitStack() as stack:
        both = [
            stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
            for _ in range(2)
        ]
        streams = [process.stdout for process in both]
        for number in range(n):
            (tmp_path / f"go{number}").touch()
            said = {stream.readline().strip() for stream in streams if stream}
            assert said == {"told", load_identity(tmp_path / f"{number}.secret").public}
    assert [process.returncode for process in both] == [0, 0]


def test_a_file_is_on_the_disk_before_it_has_its_name_and_then_its_name_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    fsync, replace, link = os.fsync, os.replace, os.link

    def synced(handle: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(handle).st_mode)
        steps.append("folder" if is_folder else "content")
        fsync(handle)

    def renamed(old: Path, new: Path) -> None:
        steps.append("name")
        replace(old, new)

    def linked(old: Path, new: Path) -> None:
        steps.append("name")
        link(old, new)

    monkeypatch.setattr(files.os, "fsync", synced)
    monkeypatch.setattr(files.os, "replace", renamed)
    monkeypatch.setattr(files.os, "link", linked)
    files.write(tmp_path / "written", b"content")
    files.new(tmp_path / "new", _content(b"content"))
    assert steps == ["content", "name", "folder"] * 2


@pytest.mark.parametrize("name", ["a" * 250, "a" * 300, "nul\0"])
def test_a_name_that_no_file_can_have_is_named(name: str, tmp_path: Path) -> None:
    if len(name) == 250:  # as long as a name may be, though the temporary one is longer
        files.write(tmp_path / name, b"content")
        return
    for write in (files.write, lambda path, content: files.new(path, _content(content))):
        with pytest.raises(wm.DataError, match="must be writable, got: "):
            write(tmp_path / name, b"content")
    assert os.listdir(tmp_path) == []


def test_a_place_is_held_by_one_run_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "PATIENCE", 0.05)
    with (
        files.alone(tmp_path / "results.json"),
        pytest.raises(wm.DataError, match=r"results\.json must be written by one run at a time"),
        files.alone(tmp_path / "results.json"),
    ):
        pytest.fail("two at once")
    with files.alone(tmp_path / "results.json"), files.alone(tmp_path / "new" / "results.json"):
        pass
    assert os.listdir(tmp_path) == [], "neither the lock nor a folder for nothing stays"


def test_what_is_set_aside_keeps_all_that_was_set_aside_before(tmp_path: Path) -> None:
    names = []
    for content in ("one", "two", "three"):
        (tmp_path / "a.json").write_text(content)
        names.append(files.set_aside(tmp_path / "a.json").name)
    assert names == ["a.json.damaged", "a.json.damaged-2", "a.json.damaged-3"]
    assert [(tmp_path / name).read_text() for name in names] == ["one", "two", "three"]


HOMELESS = """
import os, pwd
def nobody(*_): raise KeyError("no such user")
pwd.getpwuid = nobody
for home in (None, "", "/nonexistent"):
    child = os.fork()
    if not child:
        os.environ.pop("HOME", None)
        if home is not None:
            os.environ["HOME"] = home
        import wmlearn
        from wmlearn.course import record
        from wmlearn.data import files
        print(files.CACHE, record.home(), flush=True)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0, home
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_the_package_is_imported_where_nobody_has_a_home(
    anew: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WMLEARN_HOME", "")
    lines = anew(HOMELESS).splitlines()
    assert len(lines) == 3
    assert all(line.endswith("wmlearn-course") for line in lines)
