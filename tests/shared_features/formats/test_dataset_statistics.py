from __future__ import annotations

import json

import pytest

from shared_features.errors import FormatVersionError
from shared_features.formats.dataset_statistics import (
    ColumnStatistics,
    DatasetStatistics,
    WindowStatistics,
    decode_dataset_statistics,
    encode_dataset_statistics,
)

STATISTICS = DatasetStatistics(
    view="breakdown:v1",
    data_digest="ab" * 32,
    windows={"train": 3},
    features=(
        ColumnStatistics(
            "celsius",
            edges=(20.5,),
            values=(),
            windows={
                "train": WindowStatistics(
                    3, 1, 0, (1, 1), 20.25, 0.25, 20.0, 20.5, (20.0, 20.0, 20.1, 20.25, 20.4, 20.5, 20.5)
                )
            },
        ),
    ),
)

GOLDEN = """{
  "data_digest": "abababababababababababababababababababababababababababababababab",
  "features": [
    {
      "drift": null,
      "edges": [
        20.5
      ],
      "name": "celsius",
      "values": [],
      "windows": {
        "train": {
          "bins": [
            1,
            1
          ],
          "correlation": null,
          "infinite": 0,
          "least": 20.0,
          "mean": 20.25,
          "missing": 1,
          "most": 20.5,
          "quantiles": [
            20.0,
            20.0,
            20.1,
            20.25,
            20.4,
            20.5,
            20.5
          ],
          "rows": 3,
          "std": 0.25
        }
      }
    }
  ],
  "label": null,
  "schema_version": 1,
  "view": "breakdown:v1",
  "windows": {
    "train": 3
  }
}
"""


def test_golden_bytes_read_back_and_unknown_keys_are_left_out() -> None:
    assert encode_dataset_statistics(STATISTICS).decode() == GOLDEN
    later = json.loads(GOLDEN) | {"added_later": 1}
    assert decode_dataset_statistics(json.dumps(later).encode()) == STATISTICS


def test_another_schema_is_refused_with_what_to_do() -> None:
    later = json.dumps(json.loads(GOLDEN) | {"schema_version": 9}).encode()
    with pytest.raises(
        FormatVersionError, match=r"written by schema 9, this reader knows 1.* or export the dataset again"
    ):
        decode_dataset_statistics(later)
