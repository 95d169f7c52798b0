"""A judge's report, as JSON for machines and as one HTML page for people; the page needs no other file, and
runs nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from html import escape
from typing import Any

from .disputes import Report
from .verification import Finding, Match

VERSION = 1
STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}
table{border-collapse:collapse;margin:1rem 0}th,td{border:1px solid #999;padding:.35rem .7rem;text-align:left;vertical-align:top}
th{background:#f0f0f0}.yes{background:#dcefe0}.verdict{font-size:1.25rem;border-left:.4rem solid #333;padding-left:1rem}
code{overflow-wrap:anywhere}
"""


def to_json(report: Report) -> str:
    """Write everything that the report says, with p-values, as JSON."""
    found = {"kind": "report", "version": VERSION, **asdict(report)}
    found["findings"] = {name: finding_dict(finding) for name, finding in report.findings.items()}
    return json.dumps(found, indent=1, ensure_ascii=False)


def finding_dict(finding: Finding) -> dict[str, Any]:
    """Return a finding as plain values, with rates and p-values."""
    matches = {
        name: {**asdict(match), "rate": match.evidence.rate, "p_value": match.evidence.p_value}
        for name, match in finding.matches.items()
    }
    return {**asdict(finding), "matches": matches}


def decision(report: Report) -> str:
    """Return the judge's decision in one sentence."""
    return f"“{report.disputed}”: {f'the claim of {report.owner} stands' if report.owner else 'undecided'}."


def to_html(report: Report) -> str:
    """Write the report as one page: the decision, the cross matrix, each party's evidence, and what all this
    does not prove.
    """
    parts = [
        f"<h1>Whose model is “{escape(report.disputed)}”?</h1>",
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
    title = escape(f"Whose model is “{report.disputed}”?")
    head = f'<meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>'
    return (
        f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n'
        + "\n".join(parts)
        + "\n</body></html>\n"
    )


def _matrix(findings: Mapping[str, Finding], suspects: Mapping[str, str], models: Mapping[str, str]) -> str:
    owners = {model: " and ".join(name for name, own in models.items() if own == model) for model in suspects}
    heads = [f"{model} (of {owners[model]})" if owners[model] else model for model in suspects]
    rows = [
        f'<tr><th scope="row">{escape(name)}\'s'
        f" mark</th>{''.join(_cell(finding.matches.get(model)) for model in suspects)}</tr>"
        for name, finding in findings.items()
    ]
    top = "".join(f'<th scope="col">{escape(head)}</th>' for head in heads)
    return f"<table><tr><td></td>{top}</tr>{''.join(rows)}</table>"


def _cell(match: Match | None) -> str:
    if match is None:
        return "<td>void</td>"
    evidence = match.evidence
    refused = f", {match.refused} refused" if match.refused else ""
    word, style = ("yes", ' class="yes"') if match.owned else ("not shown", "")
    return (
        f"<td{style}><b>{word}</b><br>{evidence.hits} of {evidence.trials}{refused}<br>p ="
        f" {evidence.p_value:.2g}</td>"
    )


def _party(name: str, finding: Finding) -> str:
    place = f"entry {finding.number} of the registry" if finding.number else "not in the registry"
    about = [f"Commitment: {place}", f"Public key: {finding.by}", *(f"Void: {why}" for why in finding.void)]
    for match in list(finding.matches.values())[:1]:
        about.append(
            f"An innocent model gives such a label with probability up to {match.evidence.chance:.2f}"
        )
        about.append(f"Level of each test: {finding.level:.1e}")
    return f"<h2>{escape(name)}</h2>" + _list([*about, *finding.notes])


def _list(lines: Sequence[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"
