"""Records of one view to rows: requests, instants, scores, features and receipts as columns."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from shared_features.definitions import FeatureView
from shared_features.errors import FormatVersionError
from shared_features.formats.json_columns import float_lists
from shared_features.formats.logged_columns import Texts, float_rows, integer_lists
from training.inference.audit.log_batches.logged_batch import LoggedBatch
from training.inference.audit.log_batches.logged_records import records_of
from training.inference.audit.log_batches.request_reader import RequestReader, parsed
from training.inference.audit.logged_rows import LoggedRows, together
from training.inference.audit.replay.read_vectors import ReadVectors
from training.inference.audit.replay.shard_lives import Int64

_SCORES = msgspec.json.Decoder(list[Any])


class RowReader:
    """Reads the records of one view."""

    def __init__(self, view: FeatureView) -> None:
        self._wide, self._requests = len(view.columns), RequestReader(view)

    def rows(self, batch: LoggedBatch) -> tuple[LoggedRows, dict[int, str]]:
        """And of the records that do not agree with themselves, because somebody altered them, place and reason."""
        try:
            return self._rows(batch), {}
        except (msgspec.MsgspecError, FormatVersionError, TypeError, ValueError, OverflowError) as error:
            if len(batch) == 1:
                return self._rows(LoggedBatch.of([])), {0: f"it cannot be read: {error}"}
        # Which of them it is, each half says.
        middle = len(batch) // 2
        (left, refused), (right, others) = (
            self.rows(batch.take(np.arange(start, stop))) for start, stop in ((0, middle), (middle, len(batch)))
        )
        both = together([left, right.at(right.records.at + middle)])
        return both, refused | {at + middle: why for at, why in others.items()}

    def _rows(self, batch: LoggedBatch) -> LoggedRows:
        requests = self._requests.read(batch.texts("request"))
        counts = requests.counts
        as_of_us, instants = integer_lists(batch.texts("instants"))
        scores, scored = _scores(batch.texts("scores"))
        features, rows = float_rows(batch.texts("features"), self._wide)
        for what, found in (("instants", instants), ("scores", scored), ("rows of features", rows)):
            if (found != counts).any():
                at = int(np.argmax(found != counts))
                raise FormatVersionError(f"it has {counts[at]} instances, and {found[at]} {what}")
        vectors = ReadVectors()
        for receipt in batch.shared("receipt").texts:
            vectors.add(receipt)
        of_record = np.repeat(np.arange(len(batch)), counts)
        fields = requests.columns, requests.valid
        return LoggedRows(
            records_of(batch), of_record, as_of_us, *fields, features, scores, requests.named_us, vectors
        )  # fmt: skip


def _scores(texts: Texts) -> tuple[NDArray[Any], Int64]:
    """float32[n], or object[n] where one is not a plain number; and how many each record has."""
    if plain := float_lists(texts):
        return plain
    lists = parsed(_SCORES, texts, "[]")
    counts = np.array(list(map(len, lists)), np.int64)
    return np.fromiter((score for each in lists for score in each), object, int(counts.sum())), counts
