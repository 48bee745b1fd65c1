"""How old the newest event behind an entity's stored features is, as of an instant."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shared_features.definitions import FeatureGroup
from shared_features.kernel.aggregations import TimeSinceLast
from shared_features.kernel.tile_state import NEVER_US


class FeatureAge:
    """Of the entities of one group."""

    def __init__(self, group: FeatureGroup) -> None:
        ages = [
            (feature.length_us, index)
            for index, feature in enumerate(group.layout.features)
            if feature.column is None and isinstance(feature.aggregation, TimeSinceLast)
        ]
        self._feature = max(ages)[1] if ages else None

    def seconds(self, newest_us: int, before_us: int, as_of_us: int, features: NDArray[np.float64]) -> float | None:
        """None where no event counts. features: of the entity, as of the instant. The times: see `EntityFeatures`.

        A tile keeps no event times. If later events have arrived and the newest event that counts lies in a tile, a
        feature may still know its age (TimeSinceLast of the events). Otherwise it is up to a hop too great.
        """
        if newest_us >= as_of_us:
            if self._feature is not None and features[self._feature] >= 0:  # not NaN
                return float(features[self._feature])
            newest_us = before_us
        return None if newest_us == NEVER_US else (as_of_us - newest_us) / 1e6
