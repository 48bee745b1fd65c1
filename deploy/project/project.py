"""A project: its folder, written whole or not at all."""

from __future__ import annotations

import importlib.util
import keyword
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from deploy.project import web_shop
from deploy.project.errors import ProjectError
from deploy.project.module_text import ModuleText
from deploy.project.notes import notes_of, roles_line
from deploy.project.pages import UTF_8, produce_command, readme_text, test_text
from deploy.project.proposal import Proposal, propose
from deploy.project.topic_sample import TopicSample, read_topic
from deploy.project.trial import Trial, try_project
from deploy.project.wishes import Wishes
from shared_features.definitions import EventSource
from shared_features.kernel.event_time import DAY_US, SECOND_US, to_text
from streaming.job.clock import system_clock_us
from streaming.operations.produce.feed import SAMPLE
from streaming.operations.produce.file_rows import Row, file_rows
from streaming.operations.produce.seen_times import Newest, SeenTimes
from streaming.settings import load_settings

_FRESH_DAYS = 7
_MORE = 500_000
"""So many rows more are read to find the newest time."""


@dataclass(frozen=True)
class _Draft:
    """What is to be written. proposal: None for the example. last_us: its newest time, None where that is unknown."""

    module: str
    file: str
    rows: Sequence[Row]
    proposal: Proposal | None
    notes: Sequence[str]
    last_us: int | None = None
    topic: TopicSample | None = None
    encoding: str = UTF_8

    @property
    def maps(self) -> Mapping[str, str]:
        """FIELD or SOURCE.FIELD -> column. Of a topic: its records are tried as they are."""
        if self.proposal is None:
            return web_shop.MAPS
        return {} if self.topic is not None else self.proposal.maps

    @property
    def arrivals(self) -> Mapping[str, str]:
        """Source -> the column of its arrival time."""
        return {} if self.proposal is None or self.topic is not None else self.proposal.arrivals

    @property
    def decimal_comma(self) -> bool:
        return self.proposal is not None and self.proposal.decimal_comma


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
    _refuse_name(name)
    if os.path.lexists(target):
        raise ProjectError(f"{target} exists. Give another name or --directory, or remove it first")
    if not directory.is_dir():
        raise ProjectError(f"there is no directory {directory}. Create it, or give another --directory")
    now_us = system_clock_us()
    parent = Path(tempfile.mkdtemp(prefix=".millrace-new-", dir=directory))
    try:
        folder = parent / name
        folder.mkdir()
        if topic is not None:
            draft = _from_topic(name, topic, wishes)
        elif file is not None:
            draft = _from_file(name, file, directory, encoding, wishes)
        else:
            draft = _example(name, folder, now_us)
        said = _write(name, folder, draft, now_us)
        folder.rename(target)
    finally:
        shutil.rmtree(parent, ignore_errors=True)
    return [f"{target} is written: features.py, test_features.py and README.md", *said]


def _refuse_name(name: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or "__" in name or keyword.iskeyword(name):
        raise ProjectError(
            f"{name!r} cannot be the name of a package. Give small letters, digits and single underscores, beginning "
            "with a letter, such as my_shop"
        )
    try:
        taken = importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        taken = True
    if taken:
        raise ProjectError(f"a Python module is called {name} already, and would be found instead. Give another name")


def _example(name: str, folder: Path, now_us: int) -> _Draft:
    path = folder / web_shop.FILE
    path.write_text(web_shop.orders_csv(now_us), encoding="utf-8")
    rows = list(islice(file_rows(path), SAMPLE))
    return _Draft(web_shop.module_text(name), f"{name}/{web_shop.FILE}", rows, None, ())


def _from_file(name: str, file: Path, directory: Path, encoding: str, wishes: Wishes) -> _Draft:
    read = file_rows(file, encoding)
    rows = list(islice(read, SAMPLE))
    if not rows:
        raise ProjectError(f"{file.name} has no rows. Give a file that has some")
    proposal = propose(name, file.name, rows, wishes=wishes)
    whole, base = file.resolve(), directory.resolve()
    shown = str(whole.relative_to(base)) if whole.is_relative_to(base) else str(whole)
    module = ModuleText(proposal, file.name).text
    notes = notes_of(proposal)
    newest = _newest(proposal, chain([rows], iter(lambda: list(islice(read, SAMPLE)), [])))
    if ahead := [each.farthest_us for each in newest if each.stragglers]:
        notes.append(
            f"Some times lie far ahead of all others, up to {to_text(max(ahead))}. `produce` leaves them aside where "
            "it moves the file. Correct them if they are mistakes."
        )
    # The end of a very long file is not looked for: produce says how old it is.
    last_us = max(each.time_us for each in newest) if next(read, None) is None else None
    return _Draft(module, shown, rows, proposal, notes, last_us, encoding=encoding)


def _newest(proposal: Proposal, parts: Iterable[list[Row]]) -> list[Newest]:
    """The newest time of each column of times, in the first rows."""
    seen: dict[str, SeenTimes] = {}
    for part in islice(parts, 1 + _MORE // SAMPLE):
        for column, times_us in proposal.times_of(part):
            times = seen.setdefault(column, SeenTimes())
            for us in times_us:
                times.note(us)
    return [each.newest for each in seen.values() if each.newest is not None]


def _from_topic(name: str, topic: str, wishes: Wishes) -> _Draft:
    settings = load_settings()
    sample = read_topic(settings, topic, SAMPLE)
    proposal = propose(name, topic.rpartition(".")[2] or topic, sample.rows, as_written=True, wishes=wishes)
    module = ModuleText(proposal, f"topic {topic}", sample).text
    return _Draft(module, settings.kafka_bootstrap_servers, sample.rows, proposal, notes_of(proposal), topic=sample)


def _write(name: str, folder: Path, draft: _Draft, now_us: int) -> list[str]:
    (folder / "__init__.py").write_text("", encoding="utf-8")
    (folder / "features.py").write_text(draft.module, encoding="utf-8")
    trial = try_project(
        folder.parent, name, draft.rows, draft.maps, now_us, draft.topic, draft.arrivals, draft.decimal_comma
    )
    old_days = 0 if draft.last_us is None else (now_us - draft.last_us) // DAY_US
    move_to = to_text(now_us // SECOND_US * SECOND_US) if old_days > _FRESH_DAYS else None
    notes = list(draft.notes)
    if move_to:
        notes.append(
            f"The newest row is {old_days} days old, so windows that end today hold few of its events or none. "
            "`--move-to` moves all times, also those of outcomes, so that the newest row is of then. Give the same "
            "time when you send the file again: then its events count once."
        )
    produce = None
    if draft.topic is None:
        names = [each.name for each in _spine_first(trial)]
        produce = produce_command(
            draft.file,
            names,
            draft.maps,
            move_to,
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
        f"next: {folder.name}/README.md{f', then {produce}' if produce else ''}",
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
