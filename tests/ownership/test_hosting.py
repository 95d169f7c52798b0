"""A platform over HTTP: three parties in three folders, who only share a URL."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
import torch
from torch import nn

import wmlearn as wm
from wmlearn import ownership as own
from wmlearn.errors import ArgumentError, DataError
from wmlearn.evidence import bystanders
from wmlearn.ownership import accounts, platforms
from wmlearn.ownership.accounts import Account
from wmlearn.ownership.documents import digest
from wmlearn.ownership.hosting import hosted
from wmlearn.suspects import Limits
from wmlearn.watermarks import Dawn2021, dawn

MANY = Limits(per_minute=100_000)


@dataclass(frozen=True)
class Party:
    """Somebody with a folder, a secret in it, and an account."""

    folder: Path
    person: own.Identity
    account: Account


@dataclass(frozen=True)
class Stage:
    """A platform that runs, and whom it admitted."""

    url: str
    folder: Path
    ada: Party
    mallory: Party
    judge: Party


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, mnist: wm.Splits) -> Iterator[Stage]:
    root = tmp_path_factory.mktemp("platform")
    platform = platforms.opened(root / "platform", own.new_identity("keeper"), mnist.train[:6000])
    with hosted(platform, MANY) as url:
        parties = {}
        for name in ("Ada", "Mallory", "judge"):
            # no secret, so that what the hash picks is the same every time
            person = own.Identity(name, hashlib.sha256(name.encode()).digest())
            folder = root / name
            folder.mkdir()
            own.save_identity(person, folder / "secret")
            parties[name] = Party(
                folder, person, Account(url, platforms.admit(platform.folder, person.public))
            )
        yield Stage(url, platform.folder, parties["Ada"], parties["Mallory"], parties["judge"])


@pytest.fixture(scope="module")
def marked(stage: Stage) -> own.Commitment:
    """Let Ada promise a key, have it taught to a model on the platform, and release that."""
    ada = stage.ada
    promise = own.commit(ada.person, n=100, shape=(1, 28, 28), classes=10)
    receipt = accounts.enter(ada.account, promise)
    own.save(receipt, ada.folder / "receipt.json")
    key = own.draw(ada.person, receipt)
    accounts.place(ada.account, "digits", bystanders.shipped("mnist", 8, 9)[0])
    card = accounts.teach(ada.account, "digits", key)
    assert card.fingerprint == own.fingerprint(accounts.fetch(ada.account, "digits"))
    accounts.enter(ada.account, accounts.released(ada.person, card, promise))
    return promise


def claim(stage: Stage, party: Party, promise: own.Commitment, model: str) -> own.Finding:
    """Let a party claim a model before the judge, over HTTP alone."""
    judge = stage.judge
    suspects = {"theirs": accounts.suspect(stage.url, model)}
    challenge = own.challenge(judge.person, promise, suspects, book=accounts.book_of(stage.url))
    question = accounts.enter(judge.account, challenge)
    book = accounts.book_of(stage.url)
    entry = own.find(book, promise)
    assert entry is not None
    ours = own.load(party.folder / "receipt.json", own.Receipt)
    bundle = own.respond(party.person, ours, question, judge=judge.person.public, book=book)
    own.save(bundle, judge.folder / f"{party.person.name}.json")
    read = own.load(judge.folder / f"{party.person.name}.json", own.Bundle)
    release = next(e.number for e in book.entries if e.kind == "release")
    return own.verify(own.Case(suspects, book, judge.person.public, release), challenge, read)


def test_a_judge_who_can_only_ask_finds_the_owner_and_not_a_stranger(
    stage: Stage, marked: own.Commitment
) -> None:
    finding = claim(stage, stage.ada, marked, "digits")
    assert not finding.void
    match = finding.matches["theirs"]
    assert match.owned
    assert match.evidence.hits >= 0.9 * match.evidence.trials
    assert match.decoys.as_high == 0
    assert own.audited(accounts.book_of(stage.url)).faults == ()


def test_a_promise_after_the_release_is_void(stage: Stage, marked: own.Commitment) -> None:
    mallory = stage.mallory
    promise = own.commit(mallory.person, n=100, shape=(1, 28, 28), classes=10)
    own.save(accounts.enter(mallory.account, promise), mallory.folder / "receipt.json")
    finding = claim(stage, mallory, promise, "digits")
    assert "after the model was released" in finding.void[0]


def test_what_is_sent_to_be_taught_says_nothing_of_the_seeds(stage: Stage, marked: own.Commitment) -> None:
    secret = own.secret_for(stage.ada.person, "adi2018")
    for path in stage.folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert secret not in content
            assert secret.hex().encode() not in content
    names = {path.name for path in (stage.folder / "models" / "digits").iterdir()}
    card = accounts.card_of(Account(stage.url), "digits")
    assert names == {"card.json", f"{card.fingerprint}.safetensors"}


def test_the_thief_of_marked_answers_is_found_by_a_judge_without_weights(
    stage: Stage, mnist: wm.Splits
) -> None:
    mallory = stage.mallory
    secret = accounts.dawn_secret(mallory.person)
    model = bystanders.shipped("mnist", 9, 10)[0]
    accounts.place(mallory.account, "answers", model)
    card = accounts.hide(mallory.account, "answers", secret)
    with pytest.raises(DataError, match="a model is marked once"):
        accounts.hide(mallory.account, "answers", secret)
    forgetful = own.release(mallory.person, "answers", card.fingerprint)
    accounts.enter(mallory.account, forgetful)
    assert not accounts.card_of(mallory.account, "answers").answers
    accounts.enter(mallory.account, accounts.released(mallory.person, card))
    queries = mnist.train[10_000:12_400]
    remote = replace(accounts.suspect(stage.url, "answers"), batch=500)
    key = dawn.heard(remote, queries, secret)
    assert torch.equal(key.y, Dawn2021().keygen(model, queries, secret=secret).y)
    assert len(key) >= 10
    assert Dawn2021().verify(remote, key).hits == len(key)
    assert Dawn2021().verify(model, key).hits == 0  # which gives the honest answers
    recipe = replace(dawn.SURROGATE, lr=5e-3)  # as many lies as at 3e-3 in 30 epochs
    blank = wm.models.badnet_cnn(wm.models.seed_of("a thief"))
    thief = dawn.surrogate(remote, blank, queries, recipe)
    assert Dawn2021().verify(thief, key).p_value <= 1e-3
    book = accounts.book_of(stage.url)
    number = accounts.promised_at(book, mallory.person.public, secret)
    assert book.entries[number - 1].kind == "release"
    assert accounts.promised_at(book, stage.ada.person.public, secret) == 0
    with pytest.raises(ArgumentError, match="wrong as the secret says"):
        dawn.heard(remote, queries, bytes(32))


def test_an_unreleased_model_answers_nobody(stage: Stage) -> None:
    card = accounts.place(stage.ada.account, "quiet", bystanders.shipped("mnist", 8, 9)[0])
    assert not card.answers
    answer = httpx.post(f"{stage.url}/models/quiet/predict", content=b"", trust_env=False)
    assert answer.status_code == 409
    assert card.fingerprint not in answer.text
    for account in (Account(stage.url), stage.mallory.account):
        with pytest.raises(DataError, match=r"40[13]"):
            accounts.card_of(account, "quiet")
    assert accounts.card_of(stage.ada.account, "quiet") == card


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("digits", "a name must not be taken"),
        ("../up", "404"),
        ("UP", "a name must be"),
        ("x" * 41, "a name"),
    ],
)
def test_a_name_that_is_taken_or_none_is_refused(
    stage: Stage, marked: own.Commitment, name: str, rule: str
) -> None:
    with pytest.raises(DataError, match=rule):
        accounts.place(stage.ada.account, name, bystanders.shipped("mnist", 8, 9)[0])


def test_what_is_no_model_of_the_task_leaves_nothing_behind(stage: Stage) -> None:
    ada = stage.ada.account
    for network, model, rule in (
        ("badnet_cnn", nn.Linear(2, 2), "must hold the weights of this network"),
        ("sign_cnn:20", wm.models.sign_cnn(20), "reads images of shape"),
        ("resnet", nn.Linear(2, 2), "network must be badnet_cnn or sign_cnn"),
    ):
        with pytest.raises(DataError, match=rule):
            accounts.place(ada, "odd", model, network)
    pickle = httpx.put(
        f"{stage.url}/models/odd?network=badnet_cnn",
        content=b"\x80\x04pickle",
        headers={"Authorization": f"Bearer {ada.token}"},
        trust_env=False,
    )
    assert pickle.status_code == 422
    assert "the file" in pickle.json()["error"]
    assert str(stage.folder) not in pickle.json()["error"]
    assert not (stage.folder / "models" / "odd").exists()


def test_only_who_has_a_token_changes_anything_and_only_what_is_theirs(
    stage: Stage, marked: own.Commitment
) -> None:
    promise = own.commit(stage.ada.person, n=4, shape=(1, 28, 28), classes=10, serial="another")
    for token in ("", "no token"):
        with pytest.raises(DataError, match="401"):
            accounts.enter(Account(stage.url, token), promise)
    with pytest.raises(DataError, match="by the owner of the account"):
        accounts.enter(stage.mallory.account, promise)
    for act in (
        lambda: accounts.fetch(stage.mallory.account, "digits"),
        lambda: accounts.hide(stage.mallory.account, "digits", bytes(32)),
    ):
        with pytest.raises(DataError, match="one of the account's own"):
            act()
    assert promise.signature not in str(accounts.book_of(stage.url))
    assert digest(promise)


def test_too_much_is_refused_and_so_is_a_document_that_is_none(stage: Stage) -> None:
    headers = {"Authorization": f"Bearer {stage.ada.account.token}"}
    for content, status in ((b"x" * 2**19, 413), (b"{}", 422), (b"[]", 422), (b'{"kind":["a"]}', 422)):
        answer = httpx.post(f"{stage.url}/book", content=content, headers=headers, trust_env=False)
        assert answer.status_code == status, answer.text


def test_an_odd_key_is_refused_and_the_model_stays_as_it_was(stage: Stage, few: wm.Samples) -> None:
    ada = stage.ada.account
    card = accounts.place(ada, "plain", bystanders.shipped("mnist", 8, 9)[0])
    key = wm.watermarks.Adi2018(n=4).keygen(nn.Identity(), few, seed=1)
    for odd in (
        replace(key, x=torch.zeros(4, 3, 32, 32)),
        replace(key, classes=20),
        replace(key, scheme="zhang2018-noise"),
    ):
        with pytest.raises(DataError, match="422"):
            accounts.teach(ada, "plain", odd)
    headers = {"Authorization": f"Bearer {ada.token}"}
    for what, content in (("key", b""), ("key", b"{" * 5000), ("secret", b""), ("secret", b"x" * 31)):
        address = f"{stage.url}/models/plain/{what}"
        answer = httpx.post(address, content=content, headers=headers, trust_env=False)
        assert answer.status_code == 422, answer.text
    assert accounts.card_of(ada, "plain") == card
    assert own.fingerprint(accounts.fetch(ada, "plain")) == card.fingerprint


def test_a_second_token_voids_the_first_and_none_is_kept(tmp_path: Path) -> None:
    person = own.new_identity("Ada")
    first = platforms.admit(tmp_path, person.public)
    second = platforms.admit(tmp_path, person.public)
    assert platforms.who(tmp_path, first) == ""
    assert platforms.who(tmp_path, second) == person.public
    path = tmp_path / "accounts.json"
    assert second not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_platform_goes_on_where_it_stopped(stage: Stage, marked: own.Commitment, mnist: wm.Splits) -> None:
    keeper = own.new_identity("somebody else")
    with pytest.raises(DataError):
        platforms.opened(stage.folder, keeper, mnist.train[:10])
    card = accounts.card_of(Account(stage.url), "digits")
    again = platforms.Platform(stage.folder, keeper, mnist.train[:10])
    assert platforms.card_of(again, "digits") == card
    assert own.fingerprint(platforms.served(again, card)) == card.fingerprint
