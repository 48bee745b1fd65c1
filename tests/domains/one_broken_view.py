"""The machines, and beside their view one whose function cannot work, and one whose function raises for a few rows."""

from dataclasses import replace
from typing import Any

import numpy as np

from shared_features import FeatureView, LabelSource, minutes
from tests.domains.machines import BREAKDOWN, BREAKDOWNS, HOT_PLANT, READINGS

SOUND = BREAKDOWN


def is_hot(celsius: Any) -> Any:
    """An `if` of arrays, which no array can answer."""
    return 1.0 if celsius > 60.0 else 0.0


def celsius_of_new_firmware(celsius: Any, firmware: Any) -> Any:
    """The temperature under firmware 2.1, else 0."""
    if np.any(np.equal(celsius, 451.0)):
        raise ValueError("paper burns")
    return np.where(firmware == "2.1", celsius, 0.0)


BROKEN = FeatureView(
    name="overheating",
    version=1,
    source=READINGS,
    features=("celsius", HOT_PLANT, is_hot),
    labels=LabelSource(BREAKDOWNS, value="broke", join="reading", delay=minutes(0)),
)
DELICATE = replace(BROKEN, name="fire", features=("celsius", HOT_PLANT, celsius_of_new_firmware))
