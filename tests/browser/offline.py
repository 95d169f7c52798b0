"""Pages that must need no network: what their files ask for, and what a browser without one asks for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lab import BROWSER, CHROMIUM

NO_BROWSER = CHROMIUM is None or find_spec("playwright") is None
NO_NETWORK = ("--host-resolver-rules=MAP * ~NOTFOUND", "--proxy-server=127.0.0.1:9")
LOADS = {"src", "srcset", "poster", "data", "action", "formaction", "background"}
"""Attributes that make a browser load something, in any tag; `href` does in some."""
HREF_LOADS = {"link", "image", "use", "base"}
STYLE_LOADS = re.compile(r"(?:@import|url\()\s*[\"']?\s*((?:https?:)?//[^\"')\s]+)", re.IGNORECASE)
SCRIPT_LOADS = re.compile(r"[\"'`]((?:https?|wss?)://[^\"'`\s]+)")
NAMES = ("http://www.w3.org/", "https://www.w3.org/")
"""Names of vocabularies (XML namespaces), which nobody loads."""


@dataclass(frozen=True)
class Page:
    """What a page holds: addresses that a browser loads, from elsewhere and from beside the page, its links,
    its pictures' words.
    """

    outside: list[str] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    alts: list[str | None] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    relations: list[str] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)
    json_ld: list[str] = field(default_factory=list)


def is_outside(address: str) -> bool:
    """Return whether an address leaves the folder."""
    return re.match(r"\s*(?:[a-z][a-z0-9+.-]*:)?//", address, re.IGNORECASE) is not None


def is_beside(address: str) -> bool:
    """Return whether an address is that of a file, as seen from the page: not of a place in it, nor data."""
    return re.match(r"\s*(?:[a-z][a-z0-9+.-]*:|//|#|$)", address, re.IGNORECASE) is None


@cache
def read(path: Path) -> Page:
    """Read a page of HTML once, styles and scripts within it included."""
    page = Page()
    _reader(page).feed(path.read_text(encoding="utf-8"))
    return page


def _reader(page: Page) -> HTMLParser:
    reader = HTMLParser()
    inside: list[tuple[str, str]] = []

    def begin(tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        inside.append((tag, values.get("type", "")))
        loads = [values[name] for name in LOADS & set(values)]
        if tag in HREF_LOADS:
            loads.append(values.get("href", ""))
        page.outside.extend(address for address in loads if is_outside(address))
        page.beside.extend(address for address in loads if is_beside(address))
        page.outside.extend(STYLE_LOADS.findall(values.get("style", "")))
        if tag == "a":
            page.links.append(values.get("href", ""))
            page.relations.append(values.get("class", ""))
        if tag == "img":
            page.alts.append(values.get("alt"))
        if "id" in values:
            page.ids.add(values["id"])

    def say(data: str) -> None:
        tag, kind = inside[-1] if inside else ("", "")
        if tag == "style":
            page.outside.extend(STYLE_LOADS.findall(data))
        elif tag == "script" and kind == "application/ld+json":
            page.json_ld.append(data)
        elif tag == "script":
            page.scripts.append(data)
            page.outside.extend(_loaded(data))

    def end(tag: str) -> None:
        if inside and inside[-1][0] == tag:
            inside.pop()

    reader.handle_starttag = begin
    reader.handle_data = say
    reader.handle_endtag = end
    return reader


def _loaded(script: str) -> list[str]:
    return [address for address in SCRIPT_LOADS.findall(script) if not address.startswith(NAMES)]


def asked_outside(folder: Path) -> dict[str, list[str]]:
    """List what the pages, styles and scripts below a folder would load from elsewhere: file -> addresses."""
    asked: dict[str, list[str]] = {}
    for path in sorted(folder.rglob("*")):
        found: list[str] = []
        if path.suffix == ".html":
            found = read(path).outside
        elif path.suffix == ".css":
            found = STYLE_LOADS.findall(path.read_text(encoding="utf-8"))
        elif path.suffix in (".js", ".mjs"):
            found = _loaded(path.read_text(encoding="utf-8"))
        if found:
            asked[path.relative_to(folder).as_posix()] = found
    return asked


@contextmanager
def browser() -> Iterator[Callable[..., Any]]:
    """Start a browser that reaches no network, and yield what opens a page there, with Playwright's settings:
    `page.asked` lists what the page asked for, `page.faults` what went wrong in its scripts.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as p:
        chromium = p.chromium.launch(executable_path=CHROMIUM, args=[*BROWSER, *NO_NETWORK])

        def new_page(**settings: Any) -> Any:
            page: Any = chromium.new_page(viewport={"width": 1280, "height": 1000}, **settings)
            page.asked = []
            page.faults = []
            page.on("request", lambda request: page.asked.append(request.url))
            page.on("pageerror", lambda error: page.faults.append(str(error)))
            return page

        yield new_page
        chromium.close()


def left(page: Any) -> list[str]:
    """Return what a page has asked for that no file is."""
    return [address for address in page.asked if not address.startswith(("file:", "data:", "blob:"))]
