"""The parity certificate: what is served computes what was fitted and evaluated.

The fitted pipeline and the exported graph score the same rows: rows of the test window, rows with one or all features
missing, values on both sides of every split of the graph's trees, where float32 and float64 could part ways, and
extremes. The worst absolute difference goes into the manifest; above the tolerance nothing is published, and the
smallest row that fails is told. Of a regression, a difference is a part of the spread of the labels, less what a
float32 cannot hold of the value. Of several classes, the probability of each is compared. Where probabilities are
corrected, those before it are compared, and what the graph makes of its own with what the model makes of the same: a
calibration may be so steep that it makes a rounding large.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sklearn.pipeline import Pipeline

from shared_features.counted import counted
from shared_features.formats.model_manifest import Parity
from training.errors import CertificateError
from training.models.correction.corrected_model import CorrectedModel, pipeline_of
from training.models.graph.corrections import UNCORRECTED
from training.models.graph.inner_tensor import inner_tensor
from training.models.graph.model_constants import CORRECTED, REASONS, TOLERANCE
from training.models.graph.onnx_export import open_session, run_session
from training.models.parity.certificate_cases import build_cases
from training.models.parity.smallest_case import Answers, Matrix, Pair, SmallestCase, smallest_case
from training.models.predictions import predicted
from training.progress import Tell, untold

_ROUNDINGS = 8
"""How many roundings to a float32 a value may have gone through, besides those of the sums."""
_FLOAT32 = np.finfo(np.float32)


@dataclass(frozen=True)
class Certificate:
    """Worst absolute difference and number of rows of each kind of case, and all of them together.

    smallest: of one that failed, a row that fails with as few features as possible.
    """

    parity: Parity
    kinds: Mapping[str, tuple[int, float]]
    smallest: SmallestCase | None = None

    @property
    def passed(self) -> bool:
        return self.parity.worst_difference <= self.parity.tolerance

    def describe(self) -> str:
        word = "passed" if self.passed else "FAILED"
        return (
            f"{word}: worst difference {self.parity.worst_difference:.2g} over {self.parity.cases} rows (tolerance "
            f"{self.parity.tolerance:g}), {self.parity.on_demand_cases} on-demand values equal bit for bit"
        )


def certify(
    model: Pipeline | CorrectedModel,
    graph: bytes,
    test_rows: Matrix,
    on_demand_cases: int,
    seed: int,
    tolerance: float = TOLERANCE,
    spread: float | None = None,
    task: str = "binary",
    categories: tuple[tuple[int, int], ...] = (),
    tell: Tell = untold,
    names: tuple[str, ...] = (),
) -> Certificate:
    """Compare model and graph over all kinds of cases, chosen with the seed.

    spread: of a regression, the standard deviation of the labels it was fitted on. categories: (column, number of
    values) of each; the rows have places of values there, and NaN, as nothing else can be served. names: of the
    features, for the row that is told.
    """
    pipeline, pair = pipeline_of(model), _pair(model, graph, task, spread)
    kinds: dict[str, tuple[int, float]] = {}
    of_classes: list[Answers] = []
    worst, worst_row = 0.0, test_rows[:1]
    built = build_cases(pipeline, graph, test_rows, np.random.default_rng(seed), categories)
    for number, (kind, rows) in enumerate(built.items(), 1):
        tell(f"comparing {counted(len(rows), 'row')}, {kind}", number, len(built))
        difference = pair.difference(rows)
        of_rows = difference.reshape(len(rows), -1).max(axis=1)
        kinds[kind] = (len(rows), float(of_rows.max()))
        if kinds[kind][1] > worst:
            worst, worst_row = kinds[kind][1], rows[[int(of_rows.argmax())]]
        if task == "multiclass":
            of_classes.append(difference.max(axis=0))
    cases = sum(count for count, _ in kinds.values())
    worst_of_classes = tuple(np.max(of_classes, axis=0).tolist()) if of_classes else ()
    reason = REASONS[task] + (CORRECTED if isinstance(model, CorrectedModel) else "")
    parity = Parity(cases, worst, tolerance, on_demand_cases, worst_of_classes, reason=reason)
    return Certificate(parity, kinds, smallest_case(pair, worst_row, tolerance, names) if worst > tolerance else None)


def _pair(model: Pipeline | CorrectedModel, graph: bytes, task: str, spread: float | None) -> Pair:
    """What is compared: an answer; of corrected ones the probability before, and the correction of the graph's own."""
    session = open_session(graph)
    if not isinstance(model, CorrectedModel):
        return Pair(
            lambda rows: predicted(model, rows, task),
            lambda rows: run_session(session, rows).astype(np.float64),
            lambda fitted, exported: _difference(fitted, exported, spread),
        )
    before = inner_tensor(graph, UNCORRECTED)
    return Pair(
        lambda rows: np.stack([predicted(model.pipeline, rows, task), model.answered(before(rows))], axis=-1),
        lambda rows: np.stack([before(rows), run_session(session, rows)], axis=-1).astype(np.float64),
        lambda fitted, exported: _difference(fitted, exported, spread).max(axis=-1),
    )


def _difference(fitted: Answers, exported: Answers, spread: float | None) -> Answers:
    difference = np.abs(fitted - exported)
    if spread is not None:
        difference = np.maximum(difference - _ROUNDINGS * float(_FLOAT32.eps) * np.abs(fitted), 0.0) / spread
    return np.where(np.isnan(difference), 1.0, difference)  # without a number there is no parity


def require_pass(certificate: Certificate) -> None:
    """Raise CertificateError, naming the worst kind of case, unless the certificate passed."""
    if certificate.passed:
        return
    kind, (count, worst) = max(certificate.kinds.items(), key=lambda item: item[1][1])
    case = f" The smallest row that fails: {certificate.smallest.describe()}." if certificate.smallest else ""
    raise CertificateError(
        f"The exported model is not the fitted one, so nothing was published. On rows of kind {kind!r} ({count} rows) "
        f"it differs by {worst:.3g}; {certificate.parity.tolerance:g} is allowed.{case} Check the converter of each "
        "step of the pipeline."
    )
