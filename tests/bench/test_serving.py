"""The benchmark of a service: what it reports, and what it asks for."""

from __future__ import annotations

import threading
from contextlib import contextmanager

import pytest

from wmlearn.bench import serving
from wmlearn.suspects.remote import Remote


def test_without_the_extra_the_model_itself_is_timed_and_the_line_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(serving, "median_seconds", lambda scheme, suspect, key: 0.5)
    monkeypatch.setattr(serving, "installed", lambda *names: False)
    direct, remote = serving.timings()
    assert (direct.what, direct.value) == ("verify 100 triggers, on the model", 0.5)
    assert remote.value is None
    assert "[serve]" in remote.note


def test_the_same_key_is_verified_on_the_model_and_over_http(monkeypatch: pytest.MonkeyPatch) -> None:
    suspects: list[object] = []

    @contextmanager
    def served(model):
        yield "http://127.0.0.1:1"

    monkeypatch.setattr(serving, "served", served)
    monkeypatch.setattr(serving, "installed", lambda *names: True)
    monkeypatch.setattr(
        serving, "median_seconds", lambda scheme, suspect, key: suspects.append(suspect) or 0.5
    )
    assert [line.what.split(", ")[1] for line in serving.timings()] == ["on the model", "over HTTP"]
    assert suspects[1] == Remote("http://127.0.0.1:1")


def test_the_service_answers_and_ends_with_its_context(few) -> None:
    pytest.importorskip("uvicorn")
    from wmlearn.models import badnet_cnn

    model = badnet_cnn()
    before = set(threading.enumerate())
    with serving.served(model) as url:
        assert Remote(url)(few.x[:5]).tolist() == model(few.x[:5]).argmax(1).tolist()
    assert _working() <= before


def _working() -> set[threading.Thread]:
    """Return the threads, but for the one that tqdm keeps once any test has drawn a bar."""
    return {thread for thread in threading.enumerate() if type(thread).__name__ != "TMonitor"}
