from __future__ import annotations

from typing import Any

import pytest

from shared_features.errors import DefinitionError
from tests.domains.machines import BREAKDOWN
from training.definitions import GateLimits, Model
from training.definitions.gate_limits import limit_faults


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"psi": 0}, r"GateLimits\(psi=0\): give more than 0, or leave it out"),
        ({"row_us": -1}, r"row_us=-1\): give more than 0"),
        ({"time_ratio": 0.0}, r"time_ratio=0\): give more than 0"),
        ({"graph_bytes": 1.5}, "graph_bytes is 1.5"),
        ({"rank_correlation": 2}, "from -1 to 1, such as 0.9"),
        ({"changed": 1}, "from 0 to less than 1, such as 0.05"),
        ({"pci": 1}, "there is no option 'pci'. Did you mean 'psi'"),
    ],
)
def test_a_limit_that_cannot_be_is_refused_with_what_to_write(options: dict[str, Any], says: str) -> None:
    with pytest.raises(DefinitionError, match=says):
        GateLimits(**options)


def test_changed_decisions_need_a_model_that_decides() -> None:
    limits = GateLimits(changed=0.05)
    with pytest.raises(DefinitionError, match="without a threshold nothing is decided; give threshold="):
        Model("breaks", BREAKDOWN, limits=limits)
    assert Model("breaks", BREAKDOWN, limits=limits, threshold=0.5).limits == limits
    assert list(limit_faults(limits, "multiclass", None)) == []
    assert "a value decides nothing" in next(limit_faults(limits, "regression", None))
    assert list(limit_faults(GateLimits(psi=0.1), "regression", None)) == []


def test_which_limits_only_a_champion_can_answer_is_known() -> None:
    assert GateLimits(time_ratio=1.5).beside_champion
    assert not GateLimits(row_us=50, graph_bytes=10_000).beside_champion
