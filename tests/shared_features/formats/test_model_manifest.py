import json
from dataclasses import replace
from typing import Any

import pytest

from shared_features import Aggregate, GrownGroup, Max, hours
from shared_features.definitions import definition_text
from shared_features.errors import FormatVersionError, ManifestMismatchError
from shared_features.feature_views import CARD_FRAUD
from shared_features.formats.model_manifest import (
    GraphCost,
    GroupStamp,
    ModelManifest,
    Parity,
    ViewStamp,
    check_manifest,
    decode_manifest,
    encode_manifest,
    stamp_view,
)
from shared_features.kernel.event_time import days
from tests.domains.machines import BREAKDOWN, HOT_PLANT

MANIFEST = ModelManifest(
    model="card_fraud",
    version=12,
    model_digest="ab" * 32,
    view=ViewStamp(
        name="card_fraud",
        version=1,
        fingerprint="0123456789abcdef",
        features=("amount", "customer_spend__amount_mean_7d"),
        groups=(GroupStamp("customer_spend", 1, "fedcba9876543210"),),
        request_fields=("customer_id", "amount"),
        definition="{}",
    ),
    input_name="features",
    output_name="score",
    estimator="random_forest",
    libraries={"onnx": "1.23.2"},
    dataset_digest="cd" * 32,
    cut_us=1_700_000_000_000_000,
    parity=Parity(cases=1000, worst_difference=1.5e-7, tolerance=1e-5, on_demand_cases=500),
    created_at_us=1_700_000_100_000_000,
    cost=GraphCost(graph_bytes=48_211, row_us=11.25, batch_us=60.5),
)

GOLDEN = """{
  "categories": {},
  "classes": [],
  "corrections": [],
  "cost": {
    "batch_us": 60.5,
    "graph_bytes": 48211,
    "row_us": 11.25
  },
  "created_at_us": 1700000100000000,
  "cut_us": 1700000000000000,
  "dataset_digest": "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd",
  "encoders": {},
  "estimator": "random_forest",
  "files": {},
  "input_name": "features",
  "libraries": {
    "onnx": "1.23.2"
  },
  "model": "card_fraud",
  "model_digest": "abababababababababababababababababababababababababababababababab",
  "output_name": "score",
  "parity": {
    "cases": 1000,
    "on_demand_cases": 500,
    "reason": "",
    "served_values": 0,
    "tolerance": 1e-05,
    "worst_difference": 1.5e-07,
    "worst_of_classes": []
  },
  "republished_from": null,
  "rows_share_runs": false,
  "schema_version": 1,
  "task": "binary",
  "threshold": null,
  "version": 12,
  "view": {
    "definition": "{}",
    "features": [
      "amount",
      "customer_spend__amount_mean_7d"
    ],
    "fingerprint": "0123456789abcdef",
    "groups": [
      {
        "fingerprint": "fedcba9876543210",
        "name": "customer_spend",
        "version": 1
      }
    ],
    "name": "card_fraud",
    "request_fields": [
      "customer_id",
      "amount"
    ],
    "version": 1
  }
}
"""


def test_golden_bytes():
    assert encode_manifest(MANIFEST).decode() == GOLDEN


def test_a_manifest_reads_back_and_unknown_keys_are_left_out():
    assert decode_manifest(GOLDEN.encode()) == MANIFEST
    later = json.loads(GOLDEN) | {"added_later": 1}
    later["view"]["added_later"] = 2
    assert decode_manifest(json.dumps(later).encode()) == MANIFEST


def test_a_manifest_from_before_definitions_and_costs_were_kept_is_read():
    earlier = json.loads(GOLDEN)
    del earlier["view"]["definition"], earlier["cost"]
    view = replace(MANIFEST.view, definition="")
    assert decode_manifest(json.dumps(earlier).encode()) == replace(MANIFEST, view=view, cost=None)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", GOLDEN.encode()[:-200], b"7"])
def test_damaged_bytes_are_refused(content):
    with pytest.raises(FormatVersionError, match="Publish the model again"):
        decode_manifest(content)


def test_a_missing_part_and_another_schema_are_refused():
    found = json.loads(GOLDEN)
    del found["parity"]
    with pytest.raises(FormatVersionError, match=r"m\.json is damaged"):
        decode_manifest(json.dumps(found).encode(), "m.json")
    with pytest.raises(FormatVersionError, match="written by schema 9, this reader knows 1"):
        decode_manifest(json.dumps({**found, "schema_version": 9}).encode())


def of_view(**changes):
    return replace(MANIFEST, view=replace(stamp_view(CARD_FRAUD), **changes))


def test_the_view_it_was_trained_on_fits():
    check_manifest(of_view(), CARD_FRAUD)


def test_another_view_does_not_fit_and_the_message_says_where():
    features = stamp_view(CARD_FRAUD).features
    groups, labels = stamp_view(CARD_FRAUD).groups, CARD_FRAUD.predicted
    assert labels is not None
    wrong: dict[str, dict[str, Any]] = {
        "wants customer_spend__amount_mean_60d, .* lacks it. Did you mean customer_spend__amount_mean_": {
            "features": ("customer_spend__amount_mean_60d", *features)
        },
        "lacks it; add it to the view": {"features": ("zzz", *features)},
        "has feature .* does not know": {"features": features[:-1]},
        "as feature 0": {"features": (features[1], features[0], *features[2:])},
        "reads v1": {"groups": (replace(groups[0], fingerprint="x"), *groups[1:])},
        "does not read it": {"groups": (*groups, GroupStamp("gone", 1, "x"))},
        "the group, an on-demand function, the source or the labels changed": {"fingerprint": "x", "definition": ""},
        "labels: delay: 5 d -> 7 d. Train a new model": {
            "fingerprint": "x",
            "definition": definition_text(replace(CARD_FRAUD, labels=replace(labels, delay=days(5)))),
        },
    }
    for message, changes in wrong.items():
        with pytest.raises(ManifestMismatchError, match=message):
            check_manifest(of_view(**changes), CARD_FRAUD)


def test_a_stamp_has_the_label_of_its_group_and_of_an_addition_to_it() -> None:
    """`retire` compares labels: a model that reads an addition must be found by it."""
    grown = GrownGroup(HOT_PLANT, added=(Aggregate("celsius", Max(), windows=(hours(2),)),))
    view = replace(BREAKDOWN, features=tuple(each for part in grown.parts for each in part.features))
    assert [stamp.label for stamp in stamp_view(view).groups] == [part.label for part in grown.parts]
    assert [part.label for part in grown.parts] == ["hot_plant:v1", "hot_plant:v1+1"]
