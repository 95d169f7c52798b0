"""What a test sees of a lesson: the bundles that were displayed."""

from __future__ import annotations

from typing import Any


class Shown(list[tuple[dict[str, Any], dict[str, Any]]]):
    """What was displayed: (bundle, metadata), one after the other."""

    @property
    def text(self) -> str:
        return self[-1][0]["text/plain"]

    @property
    def html(self) -> str:
        return self[-1][0]["text/html"]

    def cells(self) -> list[dict[str, Any]]:
        """The same as the cell of an executed notebook."""
        return [
            {"outputs": [{"data": bundle, "metadata": metadata} for bundle, metadata in self]},
            {"cell_type": "markdown"},
        ]
