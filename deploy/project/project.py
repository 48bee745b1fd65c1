"""A project: its folder, written whole or not at all."""

from __future__ import annotations

import importlib.util
import keyword
import os
import re
import shutil
import tempfile
from pathlib import Path

from deploy.project.draft import Draft, example_draft, file_draft, topic_draft
from deploy.project.errors import ProjectError
from deploy.project.text.notes import roles_line
from deploy.project.text.pages import produce_command, readme_text, test_text
from deploy.project.topic_sample import TopicSample
from deploy.project.trial import Trial, try_project
from deploy.project.wishes import Wishes
from shared_features.definitions import EventSource
from shared_features.kernel.event_time import DAY_US
from streaming.job.clock import system_clock_us

_FRESH_DAYS = 7


def write_project(
    name: str,
    file: Path | None,
    directory: Path,
    encoding: str,
    topic: str | None = None,
    wishes: Wishes | None = None,
) -> list[str]:
    """Write `directory/name`. What to tell the person, line by line. Raises ProjectError, and then nothing is left."""
    wishes = wishes or Wishes()
    target = directory / name
    _refuse_spelling(name)
    if os.path.lexists(target):  # before its name: from here Python finds it as a module
        raise ProjectError(f"{target} exists. Give another name or --directory, or remove it first")
    _refuse_taken(name)
    if not directory.is_dir():
        raise ProjectError(f"there is no directory {directory}. Create it, or give another --directory")
    now_us = system_clock_us()
    parent = Path(tempfile.mkdtemp(prefix=".millrace-new-", dir=directory))
    try:
        folder = parent / name
        folder.mkdir()
        if topic is not None:
            draft = topic_draft(name, topic, wishes)
        elif file is not None:
            draft = file_draft(name, file, directory, encoding, wishes)
        else:
            draft = example_draft(name, folder, now_us)
        said = _write(name, folder, draft, now_us, directory)
        folder.rename(target)
    finally:
        shutil.rmtree(parent, ignore_errors=True)
    return [f"{target} is written: features.py, test_features.py and README.md", *said]


def _refuse_spelling(name: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or "__" in name or keyword.iskeyword(name):
        raise ProjectError(
            f"{name!r} cannot be the name of a package. Give small letters, digits and single underscores, beginning "
            "with a letter, such as my_shop"
        )


def _refuse_taken(name: str) -> None:
    try:
        taken = importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        taken = True
    if taken:
        raise ProjectError(f"a Python module is called {name} already, and would be found instead. Give another name")


def _then(directory: Path, name: str, produce: str | None) -> str:
    """The README as a person opens it from here, and the command that sends the file from the project's directory."""
    here = directory.resolve() == Path.cwd()
    command = "" if produce is None else f", then{'' if here else f', in {directory}:'} {produce}"
    return f"{directory / name / 'README.md'}{command}"


def _write(name: str, folder: Path, draft: Draft, now_us: int, directory: Path) -> list[str]:
    """directory: the one that will hold the project. What to tell the person, line by line."""
    (folder / "__init__.py").write_text("", encoding="utf-8")
    (folder / "features.py").write_text(draft.module, encoding="utf-8")
    trial = try_project(
        folder.parent, name, draft.rows, draft.maps, now_us, draft.topic, draft.arrivals, draft.decimal_comma
    )
    old_days = 0 if draft.last_us is None else (now_us - draft.last_us) // DAY_US
    move_days = old_days if old_days > _FRESH_DAYS else 0
    notes = list(draft.notes)
    if move_days:
        notes.append(
            f"The newest row is {old_days} days old, so windows that end today hold few of its events or none. "
            "`--move-days` moves all times, also those of outcomes, by whole days: each keeps its hour of the day, as "
            "live traffic has it. Give the same number when you send the file again: then its events count "
            "once. `--move-to-now` in its place makes the newest row one of now; hours of the day are then others."
        )
    produce = None
    if draft.topic is None:
        names = [each.name for each in _spine_first(trial)]
        produce = produce_command(
            draft.file,
            names,
            draft.maps,
            move_days,
            draft.arrivals,
            decimal_comma=draft.decimal_comma,
            encoding=draft.encoding,
        )
    readme = readme_text(name, trial.catalogue, produce, trial.request, notes, kafka=draft.file)
    (folder / "README.md").write_text(readme, encoding="utf-8")
    (folder / "test_features.py").write_text(test_text(name), encoding="utf-8")
    maps = [f"--map {field}={column}" for field, column in draft.maps.items()]
    also = [f"columns that produce does not find by their names: {' '.join(maps)}"] if maps else []
    return [
        *([] if draft.proposal is None else [roles_line(draft.proposal)]),
        *_decoded(trial, draft.topic),
        *also,
        *notes,
        f"next: {_then(directory, name, produce)}",
    ]


def _spine_first(trial: Trial) -> list[EventSource]:
    (view,) = trial.catalogue.views
    return sorted(trial.catalogue.sources, key=lambda each: each != view.source)


def _decoded(trial: Trial, topic: TopicSample | None) -> list[str]:
    lines = []
    for source in _spine_first(trial):
        fit = trial.fits[source.name]
        what = f"the first {fit.rows:,} rows" if topic is None else f"the newest {fit.rows:,} records"
        lines.append(f"{source.name}: of {what}, {fit.events:,} are events")
        lines += [f"  {count:,} would be dead letters: {why}" for why, count in fit.refused.most_common()]
    return lines
