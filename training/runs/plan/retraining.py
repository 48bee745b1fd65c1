"""Retraining: the steps from the offline store to a champion, with what each of them takes."""

from __future__ import annotations

from shared_features.formats.dataset_manifest import DATASET_FILE
from shared_features.formats.model_manifest import METRICS_FILE, MODEL_FILE
from shared_features.formats.training_run import DATASET_FOLDER, MATRIX_FILE, ROWS_FILE, SAMPLED_INPUTS_FILE
from training.runs.records.run_folder import CURVES_FILE, FAILING_ROWS_FILE, LEAKS_FILE
from training.steps.step import Step

_ACTIONS = "training.runs.actions"
_ROWS = tuple(f"{DATASET_FOLDER}/{name}" for name in (DATASET_FILE, MATRIX_FILE, ROWS_FILE))
_METRICS = f"evaluate/{METRICS_FILE}"

STEPS = (
    Step(
        DATASET_FOLDER,
        f"{_ACTIONS}.dataset_steps:dataset_step",
        parameters=("view", "data", "dataset"),
        digests={DATASET_FILE: f"{_ACTIONS}.input_digests:rows_digest"},
        outputs=(DATASET_FILE, MATRIX_FILE, ROWS_FILE, SAMPLED_INPUTS_FILE),
    ),
    Step(
        "validate",
        f"{_ACTIONS}.dataset_steps:validate_step",
        inputs=_ROWS,
        parameters=("expectations",),
        outputs=("validation.json", FAILING_ROWS_FILE),
    ),
    Step(
        "leaks",
        f"{_ACTIONS}.leak_steps:leaks_step",
        inputs=_ROWS,
        parameters=("view", "seed"),  # equal rows of another version of the tables were looked at already
        outputs=(LEAKS_FILE,),
    ),
    Step(
        "fit",
        f"{_ACTIONS}.fit_steps:fit_step",
        inputs=_ROWS,
        parameters=("models", "encoders", "fitting", "early_stopping", "search", "searched_by", "seed"),
    ),
    Step(
        "evaluate",
        f"{_ACTIONS}.model_steps:evaluate_step",
        inputs=(*_ROWS, "fit/*"),
        parameters=("models", "k", "named_ks", "metrics", "threshold", "slices", "seed"),
        digests={METRICS_FILE: f"{_ACTIONS}.input_digests:chosen_digest"},
        outputs=(METRICS_FILE, CURVES_FILE),
    ),
    Step(
        "export",
        f"{_ACTIONS}.model_steps:export_step",
        inputs=("fit/*", _METRICS),
        parameters=("view",),
        outputs=(MODEL_FILE,),
    ),
    Step(
        "certify",
        f"{_ACTIONS}.model_steps:certify_step",
        inputs=(*_ROWS, f"{DATASET_FOLDER}/{SAMPLED_INPUTS_FILE}", "fit/*", _METRICS, f"export/{MODEL_FILE}"),
        parameters=("view", "seed", "parity_tolerance"),
        outputs=("certificate.json",),
    ),
    Step(
        "publish",
        f"{_ACTIONS}.registry_steps:publish_step",
        inputs=(
            f"{DATASET_FOLDER}/{DATASET_FILE}",
            "validate/*",
            "evaluate/*",
            f"export/{MODEL_FILE}",
            "certify/certificate.json",
            f"leaks/{LEAKS_FILE}",
        ),
        effect=True,
        outputs=("published.json",),
    ),
    Step(
        "promote",
        f"{_ACTIONS}.registry_steps:promote_step",
        inputs=("publish/published.json", _METRICS, *_ROWS),
        effect=True,
        outputs=("promotion.json",),
    ),
)
