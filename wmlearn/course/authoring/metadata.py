"""What search engines and catalogues of training read on the first page: Bioschemas' TrainingMaterial."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

PROFILE = "https://bioschemas.org/profiles/TrainingMaterial/1.0-RELEASE"
FIRST = "index"
SCRIPTS = ("demo-data.js", "demo.js")
"""What the first page alone loads: the two networks, and what asks them."""


def training_material(lessons: Mapping[str, str]) -> dict[str, object]:
    """Describe the course as JSON-LD; `lessons` are page -> title.

    Source: Bioschemas, profile TrainingMaterial 1.0.
    """
    parts = [
        {"@type": "LearningResource", "name": title, "url": f"{page}.html"} for page, title in lessons.items()
    ]
    return {
        "@context": "https://schema.org/",
        "@type": "LearningResource",
        "http://purl.org/dc/terms/conformsTo": {"@type": "CreativeWork", "@id": PROFILE},
        "name": "wmlearn: backdoors, watermarks, and whose model it is",
        "description": "A course in Jupyter notebooks: plant a backdoor in a neural network, turn the same"
        " trick into a watermark, and learn when a match proves anything.",
        "keywords": ["backdoor", "data poisoning", "watermark", "model ownership", "neural network"],
        "learningResourceType": ["tutorial", "e-learning"],
        "educationalLevel": "Intermediate",
        "audience": [
            {"@type": "EducationalAudience", "educationalRole": role} for role in ("student", "teacher")
        ],
        "competencyRequired": "Python, a training loop in PyTorch, school probability",
        "inLanguage": "en",
        "license": "https://creativecommons.org/licenses/by/4.0/",
        "isAccessibleForFree": True,
        "creativeWorkStatus": "Active",
        "version": version("wmlearn"),
        "author": {"@type": "Organization", "name": "The wmlearn authors"},
        "hasPart": parts,
    }


def setup(app: Any) -> dict[str, bool]:
    """Tell Sphinx to put the description, and the scripts of its demonstration, into the first page."""
    app.connect("html-page-context", _add)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _add(app: Any, page: str, template: str, context: dict[str, Any], tree: Any) -> None:
    if page != FIRST:
        return
    names = sorted(name for name in app.env.found_docs if name.startswith("notebooks/"))
    lessons = {name: app.env.titles[name].astext() for name in names}
    described = json.dumps(training_material(lessons), ensure_ascii=False).replace("<", "\\u003c")
    context["metatags"] += f'<script type="application/ld+json">{described}</script>'
    for script in SCRIPTS:
        app.add_js_file(script, loading_method="defer", priority=900)
