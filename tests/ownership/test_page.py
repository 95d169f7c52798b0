"""The judge's page: no stranger's name gets markup, a script or a turned direction into it."""

from __future__ import annotations

import base64
import hashlib
import html.parser
import re
from typing import Any

import pytest

from wmlearn.evidence import Evidence, Rank
from wmlearn.ownership import Report, to_html
from wmlearn.ownership.verification import Finding, Match

NAMES = (
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "'><svg/onload=alert(1)>",
    "javascript:alert(1)",
    "</title><script>x", "</style><script>x", "&lt;script&gt;", "&#60;script&#62;", "{{7*7}}", "\u202eadA",
    "a\u2066b", "\0", "\x1b]0;x\x07", "<!--", "]]>", "${x}", "\ufeff", "+ADw-script+AD4-", "\u2028",
    "<style>*{display:none}</style>", "𝔸", "ℌ" * 50, "<meta http-equiv=refresh content=0>", "<base href=//x>",
)  # fmt: skip
TAGS = {
    "html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "ul", "li", "table", "tr", "td",
    "th", "b",
    "br", "code",
}  # fmt: skip
ACTS = re.compile("[\u200b-\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029\ufeff\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Reader(html.parser.HTMLParser):
    """Collects what a browser would see."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs


def _page(name: str) -> str:
    match = Match(Evidence("adi2018", "labels", 3, 30, 0.1), Rank("decoys", 1, 9), 0, 0, owned=False)
    finding = Finding("0" * 64, 1, 1e-3, (name,), {name: match}, (name,))
    shape = Report.__dataclass_fields__
    known: dict[str, Any] = {
        "disputed": name, "owner": name, "reasons": (name,), "findings": {name: finding},
        "suspects": {name: name},
        "models": {name: name}, "limits": (name,), "head": name,
        "judge": name, "size": 3, "alpha": 1e-3, "made": name,
    }  # fmt: skip
    empty = {part: known.get(part, ()) for part in shape}
    return to_html(Report(**empty))


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_hostile_name_is_only_text(name: str) -> None:
    page = _page(name)
    reader = Reader()
    reader.feed(page)
    assert set(reader.tags) <= TAGS
    assert [reader.tags.count(tag) for tag in ("style", "meta", "title")] == [1, 2, 1]
    assert {attribute for attribute, _ in reader.attributes} <= {
        "lang", "charset", "http-equiv", "content", "class", "scope",
    }  # fmt: skip
    assert ACTS.search(page) is None


def test_a_browser_may_show_the_pages_own_style_and_nothing_else() -> None:
    page = _page("Ada")
    policy = re.search(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', page)
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert policy is not None
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert policy[1].split("; ") == [
        "default-src 'none'",
        f"style-src 'sha256-{digest}'",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    assert page.index("Content-Security-Policy") < page.index("<title>")
