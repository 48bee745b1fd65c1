"""The leak gate over a view: its stored and on-demand features, and whatever of a user's own stands around them."""

from __future__ import annotations

from shared_features.counted import counted
from training.datasets.offline_store import OfflineStore
from training.datasets.pinned_view import PinnedView
from training.datasets.training_dataset import TrainingDataset
from training.progress import Tell, untold
from training.proofs.leaks.erased_events import without_erased
from training.proofs.leaks.leak import LeakReport
from training.proofs.leaks.on_demand import on_demand_leaks
from training.proofs.leaks.sampled_rows import CUTS, ROWS, SampledRows, sample_rows
from training.proofs.leaks.served_bytes import certify_served_bytes
from training.proofs.leaks.stored_features import hold_events, stored_leaks


def check_view(
    pinned: PinnedView, store: OfflineStore, seed: int = 0, rows: int = ROWS, cuts: int = CUTS, tell: Tell = untold
) -> tuple[LeakReport, int]:
    """The features of a view, over rows of all its history. Also how many values serving would read as trained."""
    return check_rows(pinned, store, sample_rows(pinned, seed, rows, cuts), seed, tell)


def check_dataset(
    pinned: PinnedView, store: OfflineStore, dataset: TrainingDataset, seed: int, tell: Tell = untold
) -> tuple[LeakReport, int]:
    """The features of a view, over rows of a dataset's windows."""
    split = dataset.manifest.split
    return check_rows(pinned, store, sample_rows(pinned, seed, between_us=(split.start_us, split.end_us)), seed, tell)


def check_rows(
    pinned: PinnedView, store: OfflineStore, sampled: SampledRows, seed: int, tell: Tell = untold
) -> tuple[LeakReport, int]:
    sampled, erased = without_erased(pinned, store, sampled)
    report = stored_leaks(pinned, store, sampled, tell)
    if erased:
        told = (
            f"{counted(erased, 'feature row')} of {len(sampled.spine.as_of_us)} are others without the events "
            "that were erased since; tried as computed without them"
        )
        report = report.joined(LeakReport(unchecked=(told,)))
    tell("computing on-demand features without later rows")
    report = report.joined(on_demand_leaks(pinned.view, sampled.inputs, seed))
    if report.leaks:
        return report, 0  # what serving reads differs for the same reason
    tell("reading entities as serving does")
    return report, certify_served_bytes(sampled, hold_events(pinned.view, store, sampled.spine))
