"""What a certificate proves of a view, of each model that takes it: by the tables that its features are stored in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from shared_features.definitions import FeatureView
from shared_features.feature_matrix import request_floats
from training.datasets.given_spine import GivenSpine
from training.datasets.offline_store import OfflineStore
from training.datasets.pinned_view import pin_view
from training.datasets.sampled_inputs import SampledInputs, sampled_rows
from training.errors import NotStoredError
from training.models.on_demand_parity import certify_on_demand
from training.proofs.leaks.leak import require_no_leak
from training.proofs.leaks.leak_check import check_rows
from training.proofs.leaks.sampled_rows import sample_rows


@dataclass(frozen=True)
class ViewProofs:
    """on_demand: values of on-demand functions that were equal from scalars and arrays. served: values that were read
    from bytes of entities as they were trained on. missing: why there were no rows to try it on; empty where all
    that the view has was tried.
    """

    on_demand: int = 0
    served: int = 0
    missing: str = ""


def prove_view(
    lake: Path,
    lateness_us: int,
    view: FeatureView,
    between_us: tuple[int, int],
    seed: int = 0,
    given: GivenSpine | None = None,
) -> ViewProofs:
    """Over stored rows of a span. given: the rows that a user brought, for a view without groups: no lake has others.

    Raises CertificateError, or LeakError, at the first value that differs, and DatasetError where what is stored
    contradicts the view or is not whole.
    """
    if not view.groups:
        return _prove_functions(view, given, seed)
    store = OfflineStore(lake)
    try:
        pinned = pin_view(store, view, lateness_us)
        sampled = sample_rows(pinned, seed, between_us=between_us)
    except NotStoredError as error:
        return ViewProofs(missing=str(error))
    on_demand = certify_on_demand(view, sampled.inputs, seed)
    report, served = check_rows(pinned, store, sampled, seed)
    require_no_leak(report)
    return ViewProofs(on_demand, served)


def _prove_functions(view: FeatureView, given: GivenSpine | None, seed: int) -> ViewProofs:
    """Of a view that serving computes from requests alone."""
    if all(column.function is None for column in view.columns):
        return ViewProofs()
    if given is None or not len(given):
        return ViewProofs(
            missing=f"View {view.label} reads no feature group, and its dataset has no rows of a spine. Publish it "
            "with a --dataset that was exported with --spine."
        )
    rows = given.take(sampled_rows(len(given), seed))
    request = request_floats(view.source, rows.columns, rows.valid)
    return ViewProofs(certify_on_demand(view, SampledInputs(request, {}, rows.as_of_us), seed))
