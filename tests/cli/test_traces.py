"""Independence and a lot on the command line: verdict, report, exit status; and odd files end clearly."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hostile import one_line
from safetensors.torch import save_file
from torch import nn
from typer.testing import CliRunner, Result

import wmlearn as wm
from wmlearn.cli.app import app

Run = Callable[..., Result]
FACTORY = """
from torch import nn

def build():
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 40), nn.ReLU(), nn.Linear(40, 2))
"""


def small(seed: int) -> nn.Sequential:
    def build() -> nn.Sequential:
        return nn.Sequential(nn.Flatten(), nn.Linear(16, 40), nn.ReLU(), nn.Linear(40, 2))

    return wm.models.networks.seeded(build, seed)


def write(model: nn.Module, path: str) -> None:
    save_file({name: value.contiguous() for name, value in model.state_dict().items()}, path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Networks, a factory, and 400 pictures with labels at random, half of which one network knows by
    heart.
    """
    folder = tmp_path_factory.mktemp("traces")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        Path("tiny_network.py").write_text(FACTORY)
        owner = small(wm.models.seed_of("owner"))
        write(owner, "owner.safetensors")
        with torch.no_grad():
            for parameter in owner.parameters():
                parameter.mul_(1.3).add_(0.01)
        write(owner, "theft.safetensors")
        write(wm.removal.Permute(seed=1)(owner, _pictures((1, 4, 4))), "shuffled.safetensors")
        for i in range(5):
            write(small(wm.models.seed_of("stranger", i)), f"stranger-{i}.safetensors")
        write(wm.models.sign_cnn(3, 5), "signs.safetensors")
        write(wm.models.badnet_cnn(0), "public.safetensors")
        write(wm.removal.Quantize(8)(wm.models.badnet_cnn(0), _pictures((1, 28, 28))), "public-8.safetensors")
        samples = _pictures((1, 4, 4))
        np.savez("pictures.npz", x=samples.x.numpy(), y=samples.y.numpy())
        np.savez("others.npz", x=samples.x.flip(0).numpy(), y=samples.y.numpy())
    return folder


def _pictures(shape: tuple[int, int, int], n: int = 400) -> wm.Samples:
    x = torch.rand(n, *shape, generator=torch.Generator().manual_seed(3))
    return wm.Samples(x, torch.randint(2, (n,), generator=torch.Generator().manual_seed(4)), ("0", "1"))


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(folder)

    def run(*words: object, ends: int = 0) -> Result:
        done = CliRunner().invoke(app, ["ownership", *map(str, words)])
        assert done.exit_code == ends, (done.output, done.exception)
        return done

    return run


TINY = ("--factory", "tiny_network.py:build")


def test_a_theft_shares_an_origin_and_the_report_says_which_layers(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    done = run("independence", "owner.safetensors", "theft.safetensors", *TINY, "--out", out)
    assert "they share an origin" in done.output
    assert "layers compared: 1; each with 9,999 shuffles" in done.output
    numbers = json.loads(out.with_suffix(".json").read_text())
    assert numbers["p_value"] == pytest.approx(1e-4)
    assert [layer["layer"] for layer in numbers["layers"]] == ["1"]
    page = out.read_text()
    assert "not who was first" in page
    assert "default-src 'none'" in page


def test_a_stranger_shares_none_and_ends_with_1(run: Run) -> None:
    done = run("independence", "owner.safetensors", "stranger-0.safetensors", *TINY, ends=1)
    assert "no common origin is shown" in done.output


def test_a_shuffled_theft_is_found_by_matching_and_no_formula_is_claimed_for_it(run: Run) -> None:
    strangers = [word for i in range(5) for word in ("--stranger", f"stranger-{i}.safetensors")]
    done = run("independence", "owner.safetensors", "shuffled.safetensors", *TINY, *strangers, ends=1)
    assert re.search(r"after matching: mean cosine (1\.00|0\.9)", done.output)
    assert "p = 0.17 by rank, 0.17 at best" in done.output


def test_a_public_start_makes_the_finding_void(run: Run) -> None:
    words = ("independence", "public.safetensors", "public-8.safetensors", "--shuffles", 999)
    done = run(*words, ends=1)
    assert "void" in done.output
    assert "A started from badnet_cnn(0)" in done.output


REFUSED = {
    "the same file twice": ("owner.safetensors", "owner.safetensors", *TINY),
    "another architecture": ("public.safetensors", "signs.safetensors"),
    "no weights": ("owner.safetensors", "pictures.npz", *TINY),
    "no file": ("owner.safetensors", "none.safetensors", *TINY),
    "an unknown layer": ("owner.safetensors", "theft.safetensors", *TINY, "--layer", "fc"),
    "the classes": ("owner.safetensors", "theft.safetensors", *TINY, "--layer", "3"),
    "a level of 2": ("owner.safetensors", "theft.safetensors", *TINY, "--level", "2"),
    "a report of another kind": ("owner.safetensors", "theft.safetensors", *TINY, "--out", "r.txt"),
}
SAYS = {
    "the same file twice": "one network twice'. A plain copy needs no test: compare the files.",
    "another architecture": "A and B must be networks of the same architecture: signs.safetensors must hold",
    "no weights": "pictures.npz must be safetensors or ONNX",
    "no file": "none.safetensors",
    "an unknown layer": "layer must be one of 1, got 'fc'",
    "the classes": "The units of the last layer are the classes.",
    "a level of 2": "level must lie in (0, 1), got 2.0.",
    "a report of another kind": "the report must end in .html",
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_compared_is_refused_in_a_line(case: str, run: Run, folder: Path) -> None:
    before = sorted(folder.iterdir())
    done = CliRunner().invoke(app, ["ownership", "independence", *REFUSED[case]])
    assert isinstance(done.exception, wm.WmlearnError)
    assert SAYS[case] in str(done.exception)
    assert one_line(f"wmlearn: {done.exception}\n")
    assert sorted(folder.iterdir()) == before


def test_a_lot_is_drawn_kept_and_shown_by_whoever_learnt_from_it(run: Run, tmp_path: Path) -> None:
    lot = tmp_path / "lot.json"
    done = run("lot", lot, "--data", "pictures.npz", "--share", "0.5")
    assert "takes 200 of 400 images" in done.output
    samples = wm.data.read_arrays("pictures.npz").samples
    inside = wm.evidence.lots.load_lot(lot, samples)
    learnt = samples[inside]
    heart = wm.trained(small(7), learnt, wm.Recipe(epochs=150, lr=2e-2, batch_size=50))[0]
    write(heart, str(tmp_path / "heart.safetensors"))
    words = ("--data", "pictures.npz", *TINY)
    done = run("split", tmp_path / "heart.safetensors", lot, *words, "--out", tmp_path / "r.html")
    assert "the suspect learnt from this lot" in done.output
    assert json.loads((tmp_path / "r.json").read_text())["p_value"] < 1e-3
    stranger = ("--stranger", "stranger-1.safetensors")
    done = run("split", "stranger-0.safetensors", lot, *words, *stranger, "--level", "0.0001", ends=1)
    assert "the lot is not shown" in done.output
    assert "images as hard to 1 strangers, brought" in done.output
    again = CliRunner().invoke(app, ["ownership", "lot", str(lot), "--data", "pictures.npz"])
    assert isinstance(again.exception, wm.DataError)  # a lot is never replaced


def test_a_lot_of_other_data_is_refused(run: Run, tmp_path: Path) -> None:
    lot = tmp_path / "lot.json"
    run("lot", lot, "--data", "pictures.npz")
    for data, says in (("others.npz", "images that are others"), ("mnist", "got a lot of 400")):
        words = ["ownership", "split", "stranger-0.safetensors", str(lot), "--data", data, *TINY]
        done = CliRunner().invoke(app, words)
        assert isinstance(done.exception, wm.DataError)
        assert "must fit the data" in str(done.exception)
        assert says in str(done.exception)
