"""Commitments, challenges, bundles: what holds for an honest owner, and every false claim that a judge must
refuse.
"""

from __future__ import annotations

import base64
import json
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import wmlearn as wm
from wmlearn import ownership as own
from wmlearn.ownership import documents, forgeries, merkle, toys
from wmlearn.ownership.identity import derive


@pytest.fixture(scope="module")
def ada() -> own.Identity:
    return own.new_identity("Ada")


@pytest.fixture(scope="module")
def stage(ada: own.Identity) -> forgeries.Stage:
    return forgeries.toy_stage(ada)


@pytest.fixture(scope="module")
def heard(stage: forgeries.Stage) -> own.Case:
    return forgeries.case(stage)


@pytest.fixture(scope="module")
def asked(stage: forgeries.Stage, heard: own.Case) -> own.Challenge:
    return forgeries.asks(stage, stage.promise, heard)


@pytest.fixture(scope="module")
def bundle(stage: forgeries.Stage, asked: own.Challenge) -> own.Bundle:
    return own.respond(stage.owner, stage.key, stage.promise, asked)


# Identities


def test_a_secret_never_shows_and_only_its_owner_can_read_the_file(ada: own.Identity, tmp_path: Path) -> None:
    path = tmp_path / "ada.secret"
    own.save_identity(ada, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert own.load_identity(path) == ada
    assert ada.secret.hex() not in repr(ada)
    assert str(ada.secret) not in repr(ada)
    with pytest.raises(wm.ArgumentError, match="must not replace a file"):
        own.save_identity(own.new_identity("Ada"), path)
    assert own.load_identity(path) == ada


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"kind":"identity","version":2,"name":"a","secret":"00"}',
        b"\xff\xfe",
        b'{"kind":1}',
    ],
)
def test_a_damaged_identity_is_refused_without_showing_it(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(wm.DataError, match="must be an identity"):
        own.load_identity(path)
    half = b'{"kind":"identity","version":1,"name":"a","secret":"' + b"ab" * 31 + b'"}'
    path.write_bytes(half)
    with pytest.raises(wm.DataError, match="32 bytes") as found:
        own.load_identity(path)
    assert "abab" not in str(found.value)


def test_what_is_derived_for_one_purpose_says_nothing_about_another(ada: own.Identity) -> None:
    found = {
        derive(ada.secret, *purpose)
        for purpose in [("a",), ("b",), ("a", "b"), ("ab",), ("a", 1), ("a", "1")]
    }
    assert len(found) == 6
    assert own.secret_for(ada, "adi2018") != own.secret_for(ada, "adi2018", "second")
    assert own.secret_for(ada, "adi2018") != own.secret_for(own.new_identity("Ada"), "adi2018")


# The tree


@pytest.mark.parametrize("n", [1, 2, 3, 7, 8, 100])
def test_every_leaf_climbs_to_the_root_from_its_own_place_only(n: int) -> None:
    contents = [bytes([i]) for i in range(n)]
    tree = merkle.levels([merkle.leaf(each) for each in contents])
    root = tree[-1][0]
    for i, each in enumerate(contents):
        way = merkle.path(tree, i)
        leaf = merkle.leaf(each)
        assert merkle.climb(leaf, i, n, way) == root
        assert merkle.climb(merkle.leaf(b"other"), i, n, way) != root
        for other in range(n + 1):
            assert (merkle.climb(leaf, other, n, way) == root) == (other == i)
        assert merkle.climb(leaf, i, n, (*way, root)) == b""


def test_a_node_is_no_leaf() -> None:
    left, right = merkle.leaf(b"a"), merkle.leaf(b"b")
    assert merkle.leaf(left + right) != merkle.levels([left, right])[-1][0]


# Commitments


def test_a_commitment_is_to_every_pixel_and_every_label(ada: own.Identity, stage: forgeries.Stage) -> None:
    key, made = stage.key, stage.promise.made
    assert own.commit(ada, key, made=made) == stage.promise, "it follows from owner and key"
    x, y = key.x.clone(), key.y.clone()
    x[7, 0, 3, 3] += 0.001 if x[7, 0, 3, 3] < 0.5 else -0.001
    y[9] = (y[9] + 1) % 10
    roots = {own.commit(ada, each, made=made).root for each in (key, replace(key, x=x), replace(key, y=y))}
    assert len(roots) == 3


def test_a_commitment_gives_no_trigger_away(stage: forgeries.Stage) -> None:
    assert len(documents.text(stage.promise)) < 700
    salts = {
        own.respond(stage.owner, stage.key, stage.promise, each).openings[0].salt for each in _draws(stage, 3)
    }
    assert all(len(salt) == 64 for salt in salts)


def test_a_key_of_another_secret_is_not_committed_to(ada: own.Identity, stage: forgeries.Stage) -> None:
    with pytest.raises(wm.ArgumentError, match="must follow from the secret of Ada"):
        own.commit(ada, stage.key, serial="another")
    with pytest.raises(wm.ArgumentError, match="must follow from the secret of Bob"):
        own.commit(own.new_identity("Bob"), stage.key)


def test_every_scheme_of_labels_can_be_committed_to_and_claimed(ada: own.Identity, few: wm.Samples) -> None:
    model, judge = wm.bystanders.shipped("mnist", 8, 9)[0], own.new_identity("judge")
    for name, scheme in wm.watermarks.ALL.items():
        if name == "uchida2017":
            with pytest.raises(wm.ArgumentError, match="needs a key of images and labels"):
                own.commit(ada, scheme.keygen(model, few))
            continue
        key = scheme.keygen(model, few, secret=own.secret_for(ada, name.removesuffix("-pretrained")))
        promise = own.commit(ada, key)
        # how many triggers DAWN marks hangs on the secret, which is new in every run
        asked = own.challenge(judge, promise, {"model": model}, count=min(5, promise.n))
        assert own.faults(own.respond(ada, key, promise, asked)) == (), name


# Challenges


def _draws(stage: forgeries.Stage, times: int, count: int = 30) -> list[own.Challenge]:
    return [
        own.challenge(stage.judge, stage.promise, {"model": stage.model}, count=count) for _ in range(times)
    ]


def test_the_judges_draw_can_not_be_foreseen_and_every_trigger_is_as_likely(stage: forgeries.Stage) -> None:
    drawn = [own.named(each, 100) for each in _draws(stage, 200)]
    assert len(set(drawn)) == 200
    count = torch.zeros(100)
    for each in drawn:
        assert len(set(each)) == 30
        count[list(each)] += 1
    assert count.min() > 30  # 60 expected, deviation 6.5
    assert count.max() < 90


def test_what_was_opened_once_is_not_asked_again_and_the_rest_is_held_back(stage: forgeries.Stage) -> None:
    earlier: list[own.Challenge] = []
    for left in (100, 70, 40):
        asked = own.challenge(stage.judge, stage.promise, {"model": stage.model}, count=30, earlier=earlier)
        assert len(asked.spent) == 100 - left
        assert not set(own.named(asked, 100)) & set(asked.spent)
        earlier.append(asked)
    with pytest.raises(
        wm.ArgumentError, match="count must be at most 10, the triggers that are still secret"
    ):
        own.challenge(stage.judge, stage.promise, {"model": stage.model}, count=30, earlier=earlier)


def test_a_model_is_named_by_its_weights(stage: forgeries.Stage) -> None:
    model = wm.models.badnet_cnn()
    before = own.fingerprint(model)
    assert own.fingerprint(wm.models.badnet_cnn()) == before
    with torch.no_grad():
        next(model.parameters())[0, 0, 0, 0] += 1e-6
    assert own.fingerprint(model) != before


def test_an_owner_answers_only_a_judges_challenge_with_the_key_it_is_about(
    stage: forgeries.Stage, asked: own.Challenge
) -> None:
    with pytest.raises(wm.ArgumentError, match="judge's signature"):
        own.respond(stage.owner, stage.key, stage.promise, replace(asked, nonce="0" * 64))
    other = own.new_identity("Ada")
    key = own.draw(other, shape=toys.SHAPE, classes=toys.CLASSES)
    with pytest.raises(wm.ArgumentError, match="must be to this commitment"):
        own.respond(other, key, own.commit(other, key), asked)
    with pytest.raises(wm.ArgumentError, match="Is it another model's key"):
        own.respond(other, key, stage.promise, asked)


# Verification


def test_an_honest_claim_stands_and_innocent_models_are_not_claimed(
    stage: forgeries.Stage, heard: own.Case
) -> None:
    found = forgeries.claim(stage, stage.owner, stage.key, stage.promise, heard)
    match = found.matches["model"]
    assert (found.void, found.number, match.owned, match.refused) == ((), 1, True, 0)
    assert (match.evidence.hits, match.evidence.trials) == (30, 30)
    chance = match.evidence.chance
    assert chance is not None
    assert 0.1 <= chance < 0.6, "measured on bystanders, at the top of its interval"
    for seed in range(20, 60):
        other = replace(heard, suspects={"model": toys.Toy(seed)})
        found = forgeries.claim(stage, stage.owner, stage.key, stage.promise, other)
        assert not found.matches["model"].owned


def test_every_opened_trigger_follows_from_its_salt_and_its_owner(
    stage: forgeries.Stage, heard: own.Case, bundle: own.Bundle
) -> None:
    strict = replace(heard, chosen=False)
    found = forgeries.claim(stage, stage.owner, stage.key, stage.promise, strict)
    assert (found.void, found.notes, found.matches["model"].owned) == ((), (), True)
    assert own.redrawn(bundle)
    assert not own.redrawn(replace(bundle, by=own.new_identity("Mallory").public)), (
        "an opened salt is of no use to anybody else"
    )
    first, second, *rest = bundle.openings
    assert not own.redrawn(replace(bundle, openings=(replace(first, index=first.index + 1), second, *rest)))
    assert not own.redrawn(
        replace(bundle, openings=(replace(first, label=(first.label + 1) % 10), second, *rest))
    )
    assert not own.redrawn(_repainted(bundle, 21))
    assert own.redrawn(_repainted(bundle, 0)), "the last bit is another machine's"


def test_the_labels_of_a_drawn_key_are_uniform_and_its_images_are_no_copies(ada: own.Identity) -> None:
    key = own.draw(ada, n=1000, shape=toys.SHAPE, classes=10)
    count = key.y.bincount(minlength=10)
    assert count.min() > 60  # 100 expected, deviation 9.5
    assert count.max() < 140
    assert torch.pdist(key.x[:200].flatten(1)).min() > toys.REACH
    assert not torch.equal(own.draw(ada, n=5, shape=toys.SHAPE, classes=10, serial="second").x, key.x[:5])


def test_a_key_whose_triggers_were_chosen_is_void_unless_the_judge_hears_it(
    stage: forgeries.Stage, heard: own.Case
) -> None:
    mallory = own.new_identity("Mallory")
    key = forgeries.picked(stage, mallory)
    promise = own.commit(mallory, key)
    early = forgeries.case(stage, early=[promise])
    void = forgeries.claim(stage, mallory, key, promise, replace(early, chosen=False)).void
    assert void == ("its triggers do not follow from their salts, so they may have been chosen",)
    assert "the triggers were chosen" in forgeries.claim(stage, mallory, key, promise, early).notes[0]


def test_the_owners_chance_can_only_be_raised(stage: forgeries.Stage, ada: own.Identity) -> None:
    low, high = (own.commit(ada, replace(stage.key, chance=chance)) for chance in (1e-9, 0.7))
    for promise, least in ((low, 0.1), (high, 0.7)):
        found = forgeries.claim(stage, ada, stage.key, promise, forgeries.case(stage, early=[promise]))
        chance = found.matches["model"].evidence.chance
        assert chance is not None
        assert chance >= least


def test_a_shade_defeats_a_table_and_not_a_mark(stage: forgeries.Stage, heard: own.Case) -> None:
    asked = own.challenge(stage.judge, stage.promise, {"service": lambda x: x}, count=30)
    bundle = own.respond(stage.owner, stage.key, stage.promise, asked)
    framed = replace(heard, suspects={"service": forgeries.tabled(stage.bystanders[0], bundle)})
    assert own.verify(framed, asked, bundle).matches["service"].owned, (
        "the table knows all that the accuser knows"
    )
    assert not own.verify(replace(framed, shade=2 / 255), asked, bundle).matches["service"].owned
    marked = replace(heard, suspects={"service": lambda x: wm.predict(stage.model, x)}, shade=2 / 255)
    assert own.verify(marked, asked, bundle).matches["service"].owned


def test_a_service_that_refuses_some_queries_is_judged_by_the_others(
    stage: forgeries.Stage, heard: own.Case
) -> None:
    def shy(x: torch.Tensor) -> torch.Tensor:
        found = wm.predict(stage.model, x).argmax(1)
        found[::6] = own.NO_ANSWER
        return found

    found = forgeries.claim(
        stage, stage.owner, stage.key, stage.promise, replace(heard, suspects={"service": shy})
    )
    match = found.matches["service"]
    assert (match.evidence.hits, match.evidence.trials, match.refused, match.owned) == (25, 30, 5, True)
    assert "refused 5 of 30" in " ".join(found.notes)


def test_luck_is_shared_among_all_who_had_a_ticket(stage: forgeries.Stage, heard: own.Case) -> None:
    people = [own.new_identity(f"player {i}") for i in range(4)]
    early = [own.commit(each, own.draw(each, n=4, shape=toys.SHAPE, classes=toys.CLASSES)) for each in people]
    found = forgeries.claim(stage, stage.owner, stage.key, stage.promise, forgeries.case(stage, early=early))
    assert found.level == pytest.approx(heard.alpha / 5)
    assert found.matches["model"].owned


def test_a_suspect_of_another_task_is_a_clear_error(stage: forgeries.Stage, heard: own.Case) -> None:
    other = replace(heard, suspects={"model": wm.models.badnet_cnn()})
    with pytest.raises(wm.ArgumentError, match="reads images of shape"):
        forgeries.claim(stage, stage.owner, stage.key, stage.promise, other)
    wide = replace(heard, suspects={"service": lambda x: torch.zeros(len(x), 43)})
    with pytest.raises(wm.ArgumentError, match="must know 10 classes"):
        forgeries.claim(stage, stage.owner, stage.key, stage.promise, wide)


def test_a_release_must_be_in_the_registry(heard: own.Case) -> None:
    for number in (0, 1, 3, -1):
        with pytest.raises(wm.ArgumentError, match="must be the number of a registered release"):
            replace(heard, released=number)


# Forgeries

REFUSED: dict[str, str] = {
    "ambiguous": "after the model was released",
    "ambiguous-picked": "after the model was released",
    "labels-afterwards": "are not those committed to",
    "replayed": "answers another challenge",
    "signed-by-another": "by another than the commitment",
    "overwritten": "after the model was released",
    "copies": "do not follow from their salts",
    "universal": "can prove nothing: innocent models",
    "lookup": "",
    "refusing": "",
    "lottery": "",
}
"""Name -> why it is void; "" where the claim may be heard, and the suspect doesn't match."""


@pytest.mark.parametrize("name", forgeries.ALL)
def test_a_forgery_is_refused_for_its_own_reason(name: str, stage: forgeries.Stage) -> None:
    assert set(REFUSED) == set(forgeries.ALL)
    for i in range(2):
        found = forgeries.ALL[name](stage, own.new_identity(f"Mallory {i}"))
        assert not found.accepted
        if REFUSED[name]:
            assert REFUSED[name] in found.finding.void[0]
        else:
            assert found.finding.void == ()
            assert all(match.evidence.trials == 30 for match in found.finding.matches.values())


@pytest.mark.parametrize("find", [forgeries.optimised, forgeries.picked])
def test_a_forged_key_does_match_the_victim(
    find: Callable[..., wm.watermarks.TriggerKey], stage: forgeries.Stage
) -> None:
    key = find(stage, own.new_identity("Mallory"))
    assert (wm.predict(stage.model, key.x).argmax(1) == key.y).float().mean() > 0.9, (
        "or the test above shows nothing"
    )


def test_only_the_order_refuses_a_key_picked_by_the_models_own_answers(stage: forgeries.Stage) -> None:
    mallory = own.new_identity("Mallory")
    key = forgeries.picked(stage, mallory)
    promise = own.commit(mallory, key)
    assert not forgeries.claim(stage, mallory, key, promise, forgeries.case(stage, late=[promise])).matches
    first = forgeries.claim(stage, mallory, key, promise, forgeries.case(stage, early=[promise]))
    assert first.matches["model"].owned, "who had the model before can be refused by nothing but its salts"


# Bad input


def _repainted(bundle: own.Bundle, bit: int = 0) -> own.Bundle:
    """Change one bit of the first pixel: 0 is its last, 22 and above its first."""
    first = bundle.openings[0]
    pixels = bytearray(base64.b64decode(first.pixels))
    pixels[bit // 8] ^= 1 << bit % 8
    return replace(
        bundle, openings=(replace(first, pixels=base64.b64encode(pixels).decode()), *bundle.openings[1:])
    )


TAMPERED: dict[str, tuple[Callable[[own.Bundle], own.Bundle], str]] = {
    "commitment": (
        lambda b: replace(b, commitment=replace(b.commitment, chance=0.01)),
        "the commitment is not signed",
    ),
    "challenge": (
        lambda b: replace(b, challenge=replace(b.challenge, nonce="0" * 64)),
        "the challenge is not signed",
    ),
    "signature": (lambda b: replace(b, signature="0" * 128), "the bundle is not signed"),
    "no-signature": (lambda b: replace(b, signature=""), "the bundle is not signed"),
    "fewer": (lambda b: replace(b, openings=b.openings[1:]), "are not those that the judge named"),
    "none": (lambda b: replace(b, openings=()), "nothing is opened"),
    "order": (lambda b: replace(b, openings=b.openings[::-1]), "are not those that the judge named"),
    "label": (
        lambda b: replace(
            b, openings=(replace(b.openings[0], label=(b.openings[0].label + 1) % 10), *b.openings[1:])
        ),
        "1 of 30",
    ),
    "pixel": (_repainted, "1 of 30"),
    "no-pixels": (
        lambda b: replace(b, openings=(replace(b.openings[0], pixels="?"), *b.openings[1:])),
        "1 of 30",
    ),
    "path": (lambda b: replace(b, openings=(replace(b.openings[0], path=()), *b.openings[1:])), "1 of 30"),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_a_changed_bundle_is_void(name: str, bundle: own.Bundle) -> None:
    change, why = TAMPERED[name]
    assert own.faults(bundle) == ()
    assert any(why in fault for fault in own.faults(change(bundle)))


def test_an_owner_can_not_be_their_own_judge(stage: forgeries.Stage) -> None:
    asked = own.challenge(stage.owner, stage.promise, {"model": stage.model}, count=5)
    assert any(
        "judge must be somebody else" in fault
        for fault in own.faults(own.respond(stage.owner, stage.key, stage.promise, asked))
    )


def test_a_bundle_comes_back_from_disk(bundle: own.Bundle, tmp_path: Path) -> None:
    path = tmp_path / "bundle.json"
    own.save(bundle, path)
    assert own.load(path, own.Bundle) == bundle
    assert "secret" not in path.read_text()
    assert json.loads(path.read_text())["version"] == 2


def test_a_truncated_bundle_is_a_clear_error_wherever_it_ends(bundle: own.Bundle, tmp_path: Path) -> None:
    whole, path = documents.text(bundle).encode(), tmp_path / "bundle.json"
    for end in (0, 1, 50, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:end])
        with pytest.raises(wm.DataError, match=r"bundle\.json"):
            own.load(path, own.Bundle)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 1}, "version must be 2, got 1.* commit anew, register anew"),
        ({"version": 3}, "version must be 2, got 3.* Read it with the release that wrote it"),
        ({"version": None}, "version must be 2, got 'NoneType'"),
        ({"version": True}, "version must be 2, got 'bool'"),
        ({"kind": "commitment"}, "must be a bundle"),
        ({"extra": 1}, "must have the fields"),
        ({"openings": {}}, "bundle.openings must be a list"),
        ({"openings": [1]}, r"bundle.openings\[0\] must be an object"),
        ({"by": 7}, "bundle.by must be of type str"),
        ({"by": "xyz"}, "by must be 64 hexadecimal digits"),
        ({"commitment": None}, "bundle.commitment must be an object"),
        ({"signature": "\ud800"}, "half of a surrogate pair"),
    ],
)
def test_a_bundle_of_another_shape_is_a_clear_error(
    change: dict[str, object], message: str, bundle: own.Bundle
) -> None:
    written = json.loads(documents.text(bundle)) | change
    with pytest.raises(wm.DataError, match=message):
        documents.parse(json.dumps(written), own.Bundle)


@pytest.mark.parametrize(
    "time", ["yesterday", "2026-01-01", "2026-01-01T00:00:00", "2026-01-01T00:00:00+02:00", ""]
)
def test_a_time_is_utc_or_an_error(time: str, ada: own.Identity, stage: forgeries.Stage) -> None:
    with pytest.raises(wm.ArgumentError, match="a time must be UTC"):
        own.commit(ada, stage.key, made=time or "x")
