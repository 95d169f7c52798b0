"""One name for each method, in every figure and table: who published it and when, or what its paper calls it.

The keys are the ids of `watermarks.ALL`, of `removal.ALL` and of the experiment "detection".
"""

from __future__ import annotations

from ..experiments.detection import DETECTORS as DETECTORS

SCHEMES = {
    "plain": "no mark",
    "adi2018": "Adi 2018 (from scratch)",
    "adi2018-pretrained": "Adi 2018 (pretrained)",
    "zhang2018-content": "Zhang 2018 (content)",
    "zhang2018-unrelated": "Zhang 2018 (unrelated)",
    "zhang2018-noise": "Zhang 2018 (noise)",
    "gu2017-patch": "Gu 2017 (patch)",
    "lemerrer2019": "frontier stitching 2019",
    "jia2021-ewe": "EWE 2021",
    "kim2023-margin": "Kim 2023 (margin)",
    "chen2019-blackmarks": "BlackMarks 2019",
    "szyller2021-dawn": "DAWN 2021",
    "uchida2017": "Uchida 2017",
}
"""Watermark -> its name, in the order of the figures."""

BACKDOORS = {
    "clean": "no backdoor (control)",
    "pattern": "pattern, 10 %, all to 0",
    "pattern, 3 %": "pattern, 3 %, all to 0",
    "pattern, 0.5 %": "pattern, 0.5 %, all to 0",
    "single pixel": "one pixel, 10 %, all to 0",
    "one class": "pattern, only 7 to 0",
    "all to all": "pattern, each to the next",
    "clean label": "ramp on zeros, no wrong label",
    "signs, clean": "signs, no backdoor (control)",
    "signs, square": "signs, stop to limit 35",
}
"""Backdoor in the experiment "detection" -> its name, in the order of the figure."""

NEWER = {
    "blended": "newer: blended picture",
    "sine": "newer: a sine of light",
    "warping": "newer: warping",
    "warping, noise": "newer: warping, noise mode",
    "low frequency": "newer: low frequencies",
    "input-aware": "newer: input-aware",
}
"""Trigger in the experiment "newer-triggers" -> its name, in the order of the figure."""

FAMILIES: dict[str, dict[str, str]] = {
    "fine-tune": {
        "adi2018-ftll": "FTLL (last layer)",
        "adi2018-ftal": "FTAL (all layers)",
        "adi2018-rtll": "RTLL (new last layer)",
        "adi2018-rtal": "RTAL (new last + all)",
        "chen2021-refit": "REFIT (large rate)",
        "zhu2023-ft-sam": "FT-SAM (flat minima)",
        "overwrite-adi": "overwriting",
        "wang2019-unlearning": "unlearning",
    },
    "prune": {
        "prune-50": "pruning (50 %)",
        "prune-80": "pruning (80 %)",
        "liu2018-fine-pruning": "fine-pruning",
        "wu2021-neuron-pruning": "neuron pruning",
    },
    "perturb": {
        "quantize-4-bits": "quantization (4 bits)",
        "mean-filter": "mean-filter removal",
        "shift": "weight shifting",
        "yan2023-permute": "permutation",
    },
    "extract": {
        "distill-soft": "distillation",
        "distill-odd": "distillation by signs",
        "shafieinejad2019-extract": "extraction by labels",
    },
    "evade": {
        "hitaj2019-vote": "ensemble vote",
        "hitaj2019-refuse": "refusal",
        "inputs-jpeg": "JPEG inputs",
        "inputs-smooth": "smoothed inputs",
        "inputs-quantise": "four-grey inputs",
    },
    "chain": {
        "chain-prune-refit": "pruning + REFIT",
        "chain-fine-prune-overwrite": "fine-pruning + overwriting",
    },
}
"""Kind of removal -> its members -> their names, in the order of the figure."""

REMOVALS = {name: title for members in FAMILIES.values() for name, title in members.items()}
"""Removal -> its name."""
