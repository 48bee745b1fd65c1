"""A draft: what is to be written into the folder of a project."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from deploy.project.errors import ProjectError
from deploy.project.proposal import Proposal, propose
from deploy.project.text import web_shop
from deploy.project.text.module_text import ModuleText
from deploy.project.text.notes import notes_of
from deploy.project.text.pages import UTF_8
from deploy.project.topic_sample import TopicSample, read_topic
from deploy.project.wishes import Wishes
from shared_features.kernel.event_time import to_text
from streaming.operations.produce.feed import SAMPLE
from streaming.operations.produce.rows.file_rows import Row, file_rows
from streaming.operations.produce.times.seen_times import Newest, SeenTimes
from streaming.settings import load_settings

_MORE = 500_000
"""So many rows more are read to find the newest time."""


@dataclass(frozen=True)
class Draft:
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


def example_draft(name: str, folder: Path, now_us: int) -> Draft:
    path = folder / web_shop.FILE
    path.write_text(web_shop.orders_csv(now_us), encoding="utf-8")
    rows = list(islice(file_rows(path), SAMPLE))
    return Draft(web_shop.module_text(name), f"{name}/{web_shop.FILE}", rows, None, ())


def file_draft(name: str, file: Path, directory: Path, encoding: str, wishes: Wishes) -> Draft:
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
    return Draft(module, shown, rows, proposal, notes, last_us, encoding=encoding)


def _newest(proposal: Proposal, parts: Iterable[list[Row]]) -> list[Newest]:
    """The newest time of each column of times, in the first rows."""
    seen: dict[str, SeenTimes] = {}
    for part in islice(parts, 1 + _MORE // SAMPLE):
        for column, times_us in proposal.times_of(part):
            times = seen.setdefault(column, SeenTimes())
            for us in times_us:
                times.note(us)
    return [each.newest for each in seen.values() if each.newest is not None]


def topic_draft(name: str, topic: str, wishes: Wishes) -> Draft:
    settings = load_settings()
    sample = read_topic(settings, topic, SAMPLE)
    proposal = propose(name, topic.rpartition(".")[2] or topic, sample.rows, as_written=True, wishes=wishes)
    module = ModuleText(proposal, f"topic {topic}", sample).text
    return Draft(module, settings.kafka_bootstrap_servers, sample.rows, proposal, notes_of(proposal), topic=sample)
