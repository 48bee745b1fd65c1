"""A view that is served: the parts that answer for it, and whether its own functions work."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from serving.log import get_log
from serving.prediction.predictor import Predictor
from serving.request.request_body import RequestBody
from shared_features.definitions import FeatureView, check_functions
from shared_features.errors import OnDemandError
from shared_features.stored_features.feature_vectors import FeatureVectors

_BYTES_PER_INSTANCE = 16_384  # room for dozens of long fields


@dataclass(frozen=True)
class ServedView:
    """A view and the parts that answer for it. `broken`: why no request for it is answered; empty otherwise."""

    view: FeatureView
    body: RequestBody
    vectors: FeatureVectors
    predictor: Predictor
    most_bytes: int
    broken: str = ""

    @staticmethod
    def most_bytes_of(max_instances: int) -> int:
        """The longest body that is read."""
        return 4096 + max_instances * _BYTES_PER_INSTANCE


def by_name(served: Iterable[ServedView]) -> dict[str, ServedView]:
    """By label; a bare name means the newest version, as in `Catalogue.view`."""
    by_name = {bare_name(each.view): each for each in sorted(served, key=lambda each: each.view.version)}
    return by_name | {each.view.label: each for each in served}


def bare_name(view: FeatureView) -> str:
    """The label without the version: of the view, or of the group that it stands for."""
    return view.label.rpartition(":v")[0]


def why_broken(view: FeatureView) -> str:
    """Why the view cannot be answered for, by a trial of its on-demand functions; empty where it can."""
    try:
        check_functions(view)
    except OnDemandError as error:
        get_log("serving").error("continuing without a broken view", view=view.label, reason=str(error))
        return f"The view is not served: {error}."
    return ""
