"""What two catalogues call the attacks of the course: NIST's and MITRE's, each by its edition.

NIST AI 100-2 E2025, Adversarial Machine Learning: A Taxonomy and Terminology (24 March 2025); MITRE ATLAS,
release 2026.05. An empty name: the catalogue has none that fits.
"""

from __future__ import annotations

from dataclasses import dataclass

EDITIONS = "NIST AI 100-2 E2025 (March 2025), MITRE ATLAS release 2026.05"


@dataclass(frozen=True)
class Attack:
    """An attack, what the catalogues call it, the lesson that makes it, and what an intake may do with it."""

    kind: str  # of a parcel in `experiments.intake`; "" where none was made
    title: str
    lesson: str
    nist: str
    atlas: str
    argued: str = ""  # what the looks can see of it, where that was not measured


ATTACKS = (
    Attack("BadNet, known trigger", "BadNet, known trigger", "02", "NISTAML.023", "AML.T0058, .T0018.000"),
    Attack("BadNet, signed by its maker", "BadNet, signed", "02, 15", "NISTAML.023", "AML.T0018.000"),
    Attack("BadNet, one class only", "one class only", "02", "NISTAML.023", "AML.T0018.000"),
    Attack("blended", "blended noise", "02", "NISTAML.023", "AML.T0020"),
    Attack("warped (WaNet)", "warped", "06", "NISTAML.023", "AML.T0018.000"),
    Attack("input-aware", "a pattern an image", "06", "NISTAML.023", "AML.T0018.000"),
    Attack("backbone with a backdoor", "bought backbone", "05", "NISTAML.051", "AML.T0010.003"),
    Attack("undetectable, as code", "signed trigger, code", "06", "NISTAML.023", "AML.T0018.001"),
    Attack("pickle, a listed call", "pickle, listed call", "15", "", "AML.T0011.000"),
    Attack("pickle, an unlisted call", "pickle, unlisted call", "15", "", "AML.T0011.000"),
    Attack("file swapped, old signature", "file swapped", "15", "NISTAML.051", "AML.T0010.003"),
    Attack("stolen copy", "stolen weights", "12", "", "AML.T0048.004"),
    Attack("", "clean labels", "02", "NISTAML.021", "AML.T0020", "as for a BadNet, by the same looks"),
    Attack("", "copied by queries", "11", "NISTAML.031", "AML.T0024.002", "no look: its weights are its own"),
)
