"""Documents, receipts and secrets in which a stranger changed anything: one clear line, never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hostile import DEEP, command, forget, one_line, spoilt
from hypothesis import given, settings
from hypothesis import strategies as st

import wmlearn as wm
from wmlearn import ownership as own
from wmlearn.ownership import documents, stages
from wmlearn.watermarks import save_key

SHAPES = {
    "commitment": own.Commitment,
    "release": own.Release,
    "challenge": own.Challenge,
    "bundle": own.Bundle,
    "receipt": own.Receipt,
}


def _written(folder: Path) -> dict[str, bytes]:
    """Write one document of every kind, and return their bytes by name."""
    stage = stages.toy_stage(own.new_identity("Ada"), n=8)
    question = stages.asked(stage, stages.booked(stage), stage.commitment, {"it": stage.model})
    bundle = stages.answered(stage, stage.owner, question)
    own.save_identity(stage.owner, folder / "ada.secret")
    save_key(stage.key, folder / "key.safetensors")
    made = (stage.commitment, stage.released, question.challenge, bundle, question.receipt)
    for name, document in zip(SHAPES, made, strict=True):
        own.save(document, folder / f"{name}.json")
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return _written(tmp_path_factory.mktemp("documents"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    torch.set_num_threads(1)
    return tmp_path


def _try(written: dict[str, bytes], folder: Path, monkeypatch: pytest.MonkeyPatch, n: int) -> None:
    """Read `n` spoilt documents with every command that opens them alone."""
    names = [name for name in written if name != "key.safetensors"]
    own.save_identity(own.new_identity("keeper"), folder / "K")

    @given(name=st.sampled_from(names), draw=st.data())
    def is_answered(name: str, draw: st.DataObject) -> None:
        raw = spoilt(draw, written[name])
        Path("F").write_bytes(raw)
        Path("F").chmod(0o600)
        forget(folder, "new.sqlite", "new.sqlite-wal", "new.sqlite-shm")
        register = ["register", "new.sqlite", "F", "--keeper", "K"]
        for words in (["show", "F"], register, ["audit", "none", "--receipt", "F"]):
            _, says = command(monkeypatch, "ownership", *words)
            assert one_line(says), says
        shape = SHAPES.get(name.removesuffix(".json"))
        if shape is not None and _is_document(raw, shape):
            document = documents.parse(raw, shape)
            assert documents.parse(documents.text(document), shape) == document

    settings(max_examples=n)(is_answered)()


def _is_document(raw: bytes, shape: type) -> bool:
    try:
        documents.parse(raw, shape)
    except wm.DataError:
        return False
    return True


def test_a_spoilt_document_is_one_clear_line(
    written: dict[str, bytes], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _try(written, folder, monkeypatch, 25)


@pytest.mark.slow
def test_8_360_spoilt_documents_are_clear_lines(
    written: dict[str, bytes], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _try(written, folder, monkeypatch, 8360)


@pytest.mark.parametrize("raw", [b'{"kind": []}', b'{"kind": {}}', b'{"kind": "\\u001b[2J"}', DEEP, b"[]"])
def test_a_kind_that_is_no_word_is_refused(raw: bytes, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("F").write_bytes(raw)
    status, says = command(monkeypatch, "ownership", "show", "F")
    assert status == 1
    assert says.startswith("wmlearn: F must be ")
    assert says.count("\n") == 1
    assert one_line(says)


def test_a_document_of_version_1_says_how_to_renew_it(written: dict[str, bytes]) -> None:
    old = written["commitment.json"].replace(b'"version":2', b'"version":1')
    with pytest.raises(wm.DataError, match=r"version must be 2, got 1\. .*: commit anew, register anew"):
        documents.parse(old, own.Commitment)


def test_a_document_is_written_as_rfc_8785_says() -> None:
    # the example of the RFC's section 3.2.3, and numbers of its appendix B
    signs = {"\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh",
             "1": "One", "\U0001f600": "Emoji: Grinning Face", "\u0080": "Control",
             "\u00f6": "Latin Small Letter O With Diaeresis"}  # fmt: skip
    written = documents.canonical(signs).decode()
    order = ["Carriage Return", "One", "Control", "Latin Small", "Euro Sign", "Emoji", "Hebrew"]
    assert sorted(order, key=written.index) == order
    assert documents.canonical([1.0, -0.0, 1e30, 4.5, 2e-3, 1e-27, 333333333.33333329]) == (
        b"[1,0,1e+30,4.5,0.002,1e-27,333333333.3333333]"
    )


_WHOLE = st.integers(-(2**53) + 1, 2**53 - 1) | st.booleans() | st.none() | st.text()


@given(content=st.dictionaries(st.sampled_from(["by", "kind", "Z", "a_b", "n"]), _WHOLE | st.lists(_WHOLE)))
def test_the_quick_writer_writes_what_the_slow_one_does(content: dict[str, object]) -> None:
    assert documents.simple(content) == documents.canonical(content)


@pytest.mark.parametrize("odd", [2**53, float("nan"), float("inf"), "\ud800"])
def test_what_has_no_canonical_form_is_never_signed(odd: object) -> None:
    with pytest.raises(wm.ArgumentError, match="a document must have a canonical form"):
        documents.canonical({"value": odd})


@pytest.mark.parametrize("name", ["\ud800", "a\nb", "\x1b[2J", "\u202eadA", ""])
def test_nobody_is_called_by_what_cannot_be_seen(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    status, says = command(monkeypatch, "ownership", "keygen", name)
    assert status == 1
    assert "a name must be a text of visible letters" in says
    assert list(folder.iterdir()) == []
