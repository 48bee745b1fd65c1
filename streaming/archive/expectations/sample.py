"""The sample: which events of a source are checked."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shared_features.formats.events import EventBatch
from shared_features.kernel.hashing import hash_integers, hash_texts


def sampled(events: EventBatch, every: int) -> NDArray[np.int64]:
    """The rows of about one in `every` events, ascending.

    The event id alone decides. So a replay checks the same events, and an event that comes again is checked again.
    """
    if every == 1:
        return np.arange(len(events))
    ids, is_text = events.columns[events.source.event_id], events.source.field(events.source.event_id).is_text
    hashed = hash_texts(ids.tolist()) if is_text else hash_integers(ids)
    return np.flatnonzero(hashed % np.uint64(every) == 0)
