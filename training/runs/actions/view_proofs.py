"""What a certificate proves of a view, of each model that takes it: by the tables that its features are stored in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from shared_features.definitions import FeatureView
from training.datasets.offline_store import OfflineStore
from training.datasets.pinned_view import pin_view
from training.errors import DatasetError
from training.models.on_demand_parity import certify_on_demand
from training.proofs.leaks.leak import require_no_leak
from training.proofs.leaks.leak_check import check_rows
from training.proofs.leaks.sampled_rows import sample_rows


@dataclass(frozen=True)
class ViewProofs:
    """on_demand: values of on-demand functions that were equal from scalars and arrays. served: values that were read
    from bytes of entities as they were trained on. missing: why nothing could be tried; empty where it was.
    """

    on_demand: int = 0
    served: int = 0
    missing: str = ""


def prove_view(
    lake: Path, lateness_us: int, view: FeatureView, between_us: tuple[int, int], seed: int = 0
) -> ViewProofs:
    """Over stored rows of a span. Raises CertificateError, or LeakError, at the first value that differs."""
    store = OfflineStore(lake)
    try:
        pinned = pin_view(store, view, lateness_us)
        sampled = sample_rows(pinned, seed, between_us=between_us)
    except DatasetError as error:
        return ViewProofs(missing=str(error))
    on_demand = certify_on_demand(view, sampled.inputs, seed)
    report, served = check_rows(pinned, store, sampled, seed)
    require_no_leak(report)
    return ViewProofs(on_demand, served)
