"""How fast, beside the ordinary way: everything in one report is measured in one run, on one machine."""

from collections.abc import Callable, Iterator

from . import cleaning, digits, ownership, serving, signs, watermarks
from .timing import Timing as Timing
from .timing import document as document

PARTS: dict[str, Callable[[], Iterator[Timing]]] = {
    "digits": digits.timings,
    "signs": signs.timings,
    "cleaning": cleaning.timings,
    "watermarks": watermarks.timings,
    "ownership": ownership.timings,
    "serving": serving.timings,
}
"""What can be measured: name -> what yields its lines, one by one, as they are measured."""
