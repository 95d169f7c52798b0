"""A judge's report, as JSON for machines and as one HTML page for people; the page needs no other file, and
runs nothing.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from html import escape as as_text
from typing import Any

from ..words import visible
from .disputes import Report
from .verification import Finding, Match

VERSION = 1
STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;\
color:#1a1a1a;background:#fff}
table{border-collapse:collapse;margin:1rem 0}\
th,td{border:1px solid #999;padding:.35rem .7rem;text-align:left;vertical-align:top}
th{background:#f0f0f0}.yes{background:#dcefe0}\
.verdict{font-size:1.25rem;border-left:.4rem solid #333;padding-left:1rem}
code{overflow-wrap:anywhere}
"""


_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'"
"""What a browser lets the page do: show its own style, and nothing else."""


def escape(text: str) -> str:
    """Write a foreign text as HTML, in which neither a tag nor a sign that turns the direction acts."""
    return as_text(visible(text))


def to_json(report: Report) -> str:
    """Write everything that the report says, with p-values, as JSON."""
    content = {"kind": "report", "version": VERSION, **asdict(report)}
    content["findings"] = {name: finding_dict(finding) for name, finding in report.findings.items()}
    return json.dumps(content, indent=1, ensure_ascii=False)


def finding_dict(finding: Finding) -> dict[str, Any]:
    """Return a finding as plain values, with rates, nulls and p-values."""
    return {
        **asdict(finding),
        "matches": {name: _match_dict(match) for name, match in finding.matches.items()},
    }


def _match_dict(match: Match) -> dict[str, Any]:
    found = match.evidence
    return {**asdict(match), "rate": found.rate, "null": found.null, "p_value": found.p_value}


def decision(report: Report) -> str:
    """Return the judge's decision in one sentence."""
    outcome = f"the claim of {report.owner} stands" if report.owner else "undecided"
    return f"“{report.disputed}”: {outcome}."


def to_html(report: Report) -> str:
    """Write the report as one page: the decision, the cross matrix, each party's evidence, and what all this
    does not prove.
    """
    title = escape(f"Whose model is “{report.disputed}”?")
    parts = [
        f"<h1>{title}</h1>",
        f'<p class="verdict">{escape(decision(report))}</p>',
        _list(report.reasons),
        "<h2>Whose mark is in whose model</h2>",
        _matrix(report.findings, report.suspects, report.models),
        *(_party(name, finding) for name, finding in report.findings.items()),
        "<h2>What this does not prove</h2>",
        _list(report.limits),
        "<h2>For checking</h2>",
        _list(tuple(report.suspects.values())),
        (
            f"<p>Registry up to the hash <code>{escape(report.head)}</code>. Level {report.alpha:g}, shared"
            f" among all tries (Bonferroni). Written {escape(report.made)}, by the clock of the judge's"
            " machine.</p>"
        ),
    ]
    policy = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    head = f'<meta charset="utf-8">{policy}<title>{title}</title><style>{STYLE}</style>'
    body = "\n".join(parts)
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n{body}\n</body></html>\n'


def _matrix(findings: Mapping[str, Finding], suspects: Mapping[str, str], models: Mapping[str, str]) -> str:
    """Return the table of every party's mark, a row, in every suspect, a column."""
    heads = "".join(f'<th scope="col">{escape(_head(model, models))}</th>' for model in suspects)
    rows = "".join(_row(name, finding, suspects) for name, finding in findings.items())
    return f"<table><tr><td></td>{heads}</tr>{rows}</table>"


def _head(model: str, models: Mapping[str, str]) -> str:
    """Name a suspect, and the parties who say that it is theirs."""
    owners = " and ".join(party for party, claimed in models.items() if claimed == model)
    return f"{model} (of {owners})" if owners else model


def _row(name: str, finding: Finding, suspects: Mapping[str, str]) -> str:
    cells = "".join(_cell(finding.matches.get(model)) for model in suspects)
    return f'<tr><th scope="row">{escape(name)}\'s mark</th>{cells}</tr>'


def _cell(match: Match | None) -> str:
    if match is None:
        return "<td>void</td>"
    evidence = match.evidence
    refusals = f", {match.refused} refused" if match.refused else ""
    counts = f"{evidence.hits} of {evidence.trials}{refusals}<br>p = {evidence.p_value:.2g}"
    if match.owned:
        return f'<td class="yes"><b>yes</b><br>{counts}</td>'
    return f"<td><b>not shown</b><br>{counts}</td>"


def _party(name: str, finding: Finding) -> str:
    place = f"entry {finding.number} of the registry" if finding.number else "not in the registry"
    lines = [f"Commitment: {place}", f"Public key: {finding.by}", *(f"Void: {why}" for why in finding.void)]
    if finding.matches:
        found = next(iter(finding.matches.values())).evidence  # all suspects have the same null
        lines.append(f"Null: {found.null}, {found.compared}, at most, for a model without the mark")
        lines.append(f"Level of each test: {finding.level:.1e}")
    return f"<h2>{escape(name)}</h2>" + _list([*lines, *finding.notes])


def _list(lines: Sequence[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"
