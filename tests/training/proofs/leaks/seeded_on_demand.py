"""On-demand functions that leak, each in a view of its own on the machines' lake."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from shared_features.definitions import FeatureView
from tests.domains.machines import BREAKDOWN, MACHINE_HEAT

_seen = [0]


def shifted(celsius: Any) -> Any:
    """The next row's."""
    return np.roll(celsius, -1)


def normalised(celsius: Any) -> Any:
    """Over all that are computed together."""
    return np.subtract(celsius, np.mean(celsius))


def centred(celsius: Any) -> Any:
    """The mean of three rows, one of them later."""
    return (np.roll(celsius, 1) + celsius + np.roll(celsius, -1)) / 3


def by_the_clock(celsius: Any) -> Any:
    return celsius - time.time()


def by_a_file(celsius: Any) -> Any:
    return celsius * float(Path("tomorrow").read_text())


def by_a_state(celsius: Any) -> Any:
    _seen[0] += 1
    return celsius + _seen[0]


def view_of(function: Any) -> FeatureView:
    return replace(BREAKDOWN, name=function.__name__, features=(MACHINE_HEAT["celsius_mean_1h"], function))


SHIFTED, NORMALISED, CENTRED = (view_of(each) for each in (shifted, normalised, centred))
