"""A judge's report, as JSON for machines and as one HTML page for people; the page needs no other file, and
runs nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ..page import bullets, document, escape
from .disputes import Report
from .verification import Finding, Match

VERSION = 2


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
    return document(_title(report), sections(report))


def sections(report: Report, *, top: int = 1) -> list[str]:
    """Return what stands on that page, as HTML without a style; its heading is of level `top`."""
    heading = f"h{top + 1}"
    return [
        f"<h{top}>{escape(_title(report))}</h{top}>",
        f'<p class="verdict">{escape(decision(report))}</p>',
        bullets(report.reasons),
        f"<{heading}>Whose mark is in whose model</{heading}>",
        _matrix(report.findings, report.suspects, report.models),
        *(_party(name, finding, heading) for name, finding in report.findings.items()),
        f"<{heading}>What this does not prove</{heading}>",
        bullets(report.limits),
        f"<{heading}>For checking</{heading}>",
        bullets(tuple(report.suspects.values())),
        (
            f"<p>Judge: <code>{escape(report.judge)}</code>. Registry of {report.size} entries with the root"
            f" <code>{escape(report.head)}</code>. Level {report.alpha:g}, shared among all tries"
            f" (Bonferroni). Written {escape(report.made)}, by the clock of the judge's machine.</p>"
        ),
    ]


def _title(report: Report) -> str:
    return f"Whose model is “{report.disputed}”?"


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
    strangers = f"{match.decoys.as_high} of {match.decoys.drawn} decoys as high"
    counts = f"{evidence.hits} of {evidence.trials}{refusals}<br>p = {evidence.p_value:.2g}<br>{strangers}"
    if match.owned:
        return f'<td class="yes"><b>yes</b><br>{counts}</td>'
    return f"<td><b>not shown</b><br>{counts}</td>"


def _party(name: str, finding: Finding, heading: str) -> str:
    place = f"entry {finding.number} of the registry" if finding.number else "not in the registry"
    lines = [f"Commitment: {place}", f"Public key: {finding.by}", *(f"Void: {why}" for why in finding.void)]
    if finding.matches:
        found = next(iter(finding.matches.values())).evidence  # all suspects have the same null
        lines.append(f"Null: {found.null}, {found.compared} for a model that never met the key")
        lines.append(f"Level of each test: {finding.level:.1e}")
    return f"<{heading}>{escape(name)}</{heading}>" + bullets([*lines, *finding.notes])
