"""Signatures of models: what holds, what doesn't, and each fault in words; a signed BadNet verifies."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from wmlearn import intake
from wmlearn.errors import DataError
from wmlearn.intake.signatures import SIGNATURE
from wmlearn.models import badnet_cnn

CARD = intake.Card("North Models", "badnet_cnn", "digits")


@pytest.fixture
def public(tmp_path: Path) -> Path:
    return intake.new_signing_key(tmp_path / "north.pem")


@pytest.fixture
def parcel(tmp_path: Path, public: Path) -> Path:
    folder = intake.pack_parcel(tmp_path / "parcel", badnet_cnn(3).state_dict(), CARD)
    intake.sign_folder(folder, public.with_suffix(".pem"))
    return folder


def test_what_was_signed_verifies_whatever_it_does(parcel: Path, public: Path) -> None:
    assert intake.signature_fault(parcel, public) == ""


def test_a_private_key_is_its_owners_alone_and_is_never_overwritten(tmp_path: Path, public: Path) -> None:
    private = public.with_suffix(".pem")
    assert private.stat().st_mode & 0o077 == 0
    with pytest.raises(DataError, match="must not be there yet"):
        intake.new_signing_key(private)


def test_another_key_is_refused(parcel: Path, tmp_path: Path) -> None:
    other = intake.new_signing_key(tmp_path / "other.pem")
    assert intake.signature_fault(parcel, other) == "it was made with another key, or somebody changed it"


def test_a_changed_a_missing_and_an_extra_file_are_named(parcel: Path, public: Path) -> None:
    model = parcel / "model.safetensors"
    before = model.read_bytes()
    model.write_bytes(save({"odd": torch.zeros(2)}))
    says = "the files are not those that were signed: "
    assert intake.signature_fault(parcel, public) == says + "model.safetensors"
    model.write_bytes(before)
    (parcel / "extra.py").write_text("pass")
    assert intake.signature_fault(parcel, public) == says + "extra.py"
    (parcel / "extra.py").unlink()
    (parcel / "card.json").unlink()
    assert intake.signature_fault(parcel, public) == says + "card.json"


@pytest.mark.parametrize("damage", [b"", b"{}", b"[]", b"\xff\xfe", b'{"mediaType": 1}'])
def test_a_damaged_signature_is_called_damaged(parcel: Path, public: Path, damage: bytes) -> None:
    (parcel / SIGNATURE).write_bytes(damage)
    assert intake.signature_fault(parcel, public).startswith("the signature is damaged")


def test_a_signature_that_was_cut_is_called_damaged(parcel: Path, public: Path) -> None:
    raw = (parcel / SIGNATURE).read_bytes()
    (parcel / SIGNATURE).write_bytes(raw[: len(raw) // 2])
    assert intake.signature_fault(parcel, public) == "the signature is damaged"


def test_no_signature_and_no_key_are_said(parcel: Path, public: Path, tmp_path: Path) -> None:
    odd = tmp_path / "odd.pub"
    odd.write_text("not a key")
    with pytest.raises(DataError, match="must be a public key"):
        intake.signature_fault(parcel, odd)
    with pytest.raises(DataError, match="must be a private key"):
        intake.sign_folder(parcel, odd)
    (parcel / SIGNATURE).unlink(missing_ok=True)
    with pytest.raises(DataError, match=r"must be readable.*Ask the maker"):
        intake.signature_fault(parcel, public)


def test_without_the_extra_it_says_what_to_install(
    parcel: Path, public: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "model_signing", None)
    monkeypatch.setitem(sys.modules, "model_signing.verifying", None)
    with pytest.raises(DataError, match=r'pip install "wmlearn\[intake\]"'):
        intake.signature_fault(parcel, public)
