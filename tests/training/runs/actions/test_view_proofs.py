"""A view is proven by its stored rows, also where its model was trained elsewhere."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from deltalake import DeltaTable

from shared_features import FeatureView
from shared_features.formats.offline_tables import FINGERPRINT, events_table, features_table
from shared_features.kernel.event_time import DAY_US
from tests.domains.machines import BREAKDOWN, MACHINE_HEAT
from tests.training.datasets.exports.exported_machines import spine_rows
from tests.training.machine_streams import end_us
from training.datasets.given_spine import check_spine
from training.errors import CertificateError, DatasetError
from training.runs.actions.view_proofs import ViewProofs, prove_view

LATE_US = 3_600_000_000


def above_batch(celsius: Any) -> Any:
    """Depends on the rows that it is computed with."""
    return np.subtract(celsius, np.mean(celsius))


def in_kelvin(celsius: Any) -> Any:
    """The same for each row, whatever stands beside it."""
    return np.add(celsius, 273.15)


def groupless(*functions: Any) -> FeatureView:
    return replace(BREAKDOWN, features=("celsius", *functions), labels=None)


@pytest.fixture
def own_lake(machine_lake: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(machine_lake, tmp_path / "lake"))


def span() -> tuple[int, int]:
    return end_us() - 6 * DAY_US, end_us()


def test_functions_and_bytes_of_a_view_are_tried_on_its_stored_rows(machine_lake: Path) -> None:
    found = prove_view(machine_lake, LATE_US, BREAKDOWN, span())
    assert found.on_demand > 1_000
    assert found.served > 50
    assert found.missing == ""


def test_a_function_that_gives_a_request_another_value_than_a_dataset_is_refused_with_the_case(
    machine_lake: Path,
) -> None:
    view = replace(BREAKDOWN, features=(*BREAKDOWN.features[:-1], above_batch))
    with pytest.raises(CertificateError, match=r"above_batch gives 0\.0 from scalars and .* for inputs \["):
        prove_view(machine_lake, LATE_US, view, span())


def test_without_stored_rows_it_says_what_is_missing(tmp_path: Path, machine_lake: Path) -> None:
    assert "has no table" in prove_view(tmp_path, LATE_US, BREAKDOWN, span()).missing
    assert "no complete feature row" in prove_view(machine_lake, LATE_US, BREAKDOWN, (0, 1)).missing


def test_tables_that_contradict_the_view_or_each_other_are_refused(own_lake: Path) -> None:
    """Each was taken for "there are none", and the model was published without a proof."""
    heat = DeltaTable(own_lake / features_table(MACHINE_HEAT, BREAKDOWN.source))
    heat.alter.set_table_properties({FINGERPRINT: "of before"}, raise_if_not_exists=False)
    with pytest.raises(DatasetError, match="was written by another definition of machine_heat:v3"):
        prove_view(own_lake, LATE_US, BREAKDOWN, span())
    heat.alter.set_table_properties({FINGERPRINT: MACHINE_HEAT.fingerprint}, raise_if_not_exists=False)
    DeltaTable(own_lake / events_table(BREAKDOWN.source)).delete("kafka_offset % 7 = 3")
    with pytest.raises(DatasetError, match="feature rows of view breakdown:v1 have no event in table"):
        prove_view(own_lake, LATE_US, BREAKDOWN, span())


def test_functions_of_a_view_without_groups_are_tried_on_the_rows_that_a_user_brought(tmp_path: Path) -> None:
    """No lake has feature rows of it."""
    rows = check_spine(groupless(above_batch), spine_rows())
    with pytest.raises(CertificateError, match=r"above_batch gives 0\.0 from scalars"):
        prove_view(tmp_path, LATE_US, rows.view, span(), given=rows)
    rows = check_spine(groupless(in_kelvin), spine_rows())
    assert prove_view(tmp_path, LATE_US, rows.view, span(), given=rows) == ViewProofs(on_demand=len(rows) + 300)
    missing = prove_view(tmp_path, LATE_US, rows.view, span()).missing
    assert missing.startswith("View breakdown:v1 reads no feature group, and its dataset has no rows of a spine.")
    assert prove_view(tmp_path, LATE_US, groupless(), span()) == ViewProofs(), "there is nothing to try"
