"""A view is proven by its stored rows, also where its model was trained elsewhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shared_features.kernel.event_time import DAY_US
from tests.domains.machines import BREAKDOWN
from tests.training.machine_streams import end_us
from training.errors import CertificateError
from training.runs.actions.view_proofs import prove_view

LATE_US = 3_600_000_000


def above_batch(celsius: Any) -> Any:
    """Depends on the rows that it is computed with."""
    return np.subtract(celsius, np.mean(celsius))


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
    assert prove_view(tmp_path, LATE_US, BREAKDOWN, span()).missing
    assert "no complete feature row" in prove_view(machine_lake, LATE_US, BREAKDOWN, (0, 1)).missing
