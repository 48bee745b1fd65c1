"""The export of a run: what the database, the run's folder and the registry know of it, in one archive."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from shared_features.formats.model_manifest import MANIFEST_FILE
from shared_features.formats.run_archive import MODEL_CARD_FILES, MODEL_MANIFEST_FILE, ArchivedStep, RunArchive
from training.errors import ConflictError, RegistryError
from training.registry.model_card.model_card import MODEL_CARD_HTML, MODEL_CARD_MARKDOWN
from training.registry.version_model_card import model_card_of
from training.registry.versions import Registry
from training.runs.plan.retraining import STEPS
from training.runs.records.run_archive import archived_files, write_archive
from training.scheduler.runs.imported_runs import IMPORTED
from training.scheduler.runs.runs import Runs
from training.scheduler.workflow.run_states import ENDED
from training.settings import TrainingSettings


def export_run(settings: TrainingSettings, runs: Runs, run_id: str, target: Path, *, data: bool) -> RunArchive:
    """Write the archive of a run that has ended. data: with the rows of its dataset and the files of its own steps.

    A run whose folder was forgotten is exported without files. Raises ConflictError for one that has not ended.
    """
    run = runs.show(run_id)
    if run.status not in ENDED:
        raise ConflictError(f"Run {run_id} is {run.status}. Export it when it has ended, or cancel it.")
    if run.imported:
        data = data and runs.imported.archive(run_id).data
    plan, summary = runs.plan(run_id) or {step.name: step.needs for step in STEPS}, runs.summary(run)
    steps = tuple(
        ArchivedStep(each.name, each.state, each.reason, each.seconds, each.line, tuple(plan.get(each.name, ())))
        for each in runs.steps(run_id)
    )
    files = archived_files(runs.folder(run_id), data=data)
    archive = RunArchive(
        run.id.removeprefix(IMPORTED),
        run.status,
        run.template,
        run.parameters,
        run.asked_at,
        steps,
        {},
        data,
        run.error,
        run.began_at_ms,
        run.ended_at_ms,
        run.origin,
        {name: value for name, value in summary.items() if name != "folder"},
        run.reason,
    )
    with tempfile.TemporaryDirectory() as folder:
        if not run.imported:
            files |= _of_version(settings, summary, Path(folder))
        return write_archive(target, archive, files)


def _of_version(settings: TrainingSettings, summary: Mapping[str, Any], folder: Path) -> dict[str, Path]:
    """Manifest and model card of the version that the run published, if the registry has it, put into a folder."""
    if "version" not in summary:
        return {}
    registry, model, version = Registry(settings.registry), summary["model"], summary["version"]
    found: dict[str, bytes] = {}
    with suppress(RegistryError):
        found[MODEL_MANIFEST_FILE] = registry.read(model, version, MANIFEST_FILE)
        read = model_card_of(registry, model, version)
        found |= zip(MODEL_CARD_FILES, (read[MODEL_CARD_MARKDOWN], read[MODEL_CARD_HTML]), strict=True)
    for name, content in found.items():
        (folder / name).write_bytes(content)
    return {name: folder / name for name in found}
