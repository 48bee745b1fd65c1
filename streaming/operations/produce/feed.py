"""A feed: one file as the events of one source, and the pairs of files and sources that a command line names."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared_features.arguments import did_you_mean
from shared_features.definitions import Catalogue, EventSource, FeatureGroup
from shared_features.kernel.event_time import DAY_US
from streaming.errors import RefusedError
from streaming.operations.produce.rows.file_rows import UNREADABLE, Row, file_rows
from streaming.operations.produce.rows.row_encoder import ROW_NUMBER, Reading, RowEncoder, key_fields
from streaming.operations.produce.rows.unsent_columns import UnsentColumns
from streaming.operations.produce.times.arrival_order import Outgoing
from streaming.operations.produce.times.arrival_text import ArrivalText, arrival_text
from streaming.operations.produce.times.early_outcomes import early_outcomes
from streaming.operations.produce.times.seen_times import SeenTimes
from streaming.operations.produce.times.time_span import move_to

SAMPLE = 10_000


@dataclass
class Feed:
    """rows: how many of its rows are read, None for all. times: when the rows that were read so far became known.
    groups: those of the definitions. warning: what a person must know of these rows; may be empty.
    unsent: the columns of the file that are not sent.
    """

    path: Path
    encoder: RowEncoder
    sample: list[Row]
    encoding: str
    rows: int | None
    groups: tuple[FeatureGroup, ...] = ()
    warning: str = ""
    times: SeenTimes = field(default_factory=SeenTimes, init=False)
    unsent: UnsentColumns = field(init=False)

    def __post_init__(self) -> None:
        self.unsent = UnsentColumns(self.encoder)
        self._note_sample()

    def _note_sample(self) -> None:
        for row in self.sample:
            self._note(self.encoder.encode(row)[0])

    def move(self, moved_us: int) -> None:
        """Move all its times."""
        self.encoder.reading = replace(self.encoder.reading, moved_us=moved_us)
        self.times = SeenTimes()
        self._note_sample()

    def all_rows(self) -> Iterator[Row]:
        return islice(_numbered_rows(self.path, self.encoding), self.rows)

    def outgoing(self, number: int, now_us: int) -> Iterator[Outgoing]:
        """Its records. A row whose time cannot be read stays beside the row before it."""
        known_us = next((at for row in self.sample if (at := self.encoder.encode(row)[0]) is not None), now_us)
        self.times = SeenTimes()  # each row once: those of the sample come again
        for place, row in enumerate(self.all_rows()):
            at, key, value = self.encoder.encode(row)
            self._note(at)
            known_us = known_us if at is None else at
            yield known_us, place, number, key, value

    def _note(self, known_us: int | None) -> None:
        if known_us is not None:
            self.times.note(known_us)


def feeds_of(catalogue: Catalogue, options: Namespace) -> list[Feed]:
    """What the options of `produce` name. Raises RefusedError, which says what does not fit."""
    _refuse_unknown_fields(catalogue, options)
    feeds = [_feed(catalogue, path, source, options) for path, source in _pairs(options)]
    for feed in feeds:
        of_file = [each.encoder for each in feeds if each.path == feed.path]
        others = [each for each in catalogue.sources if each not in [encoder.source for encoder in of_file]]
        feed.unsent = UnsentColumns(feed.encoder, [each for each in of_file if each is not feed.encoder], others)
    if options.move_to is not None:
        move_to(feeds, options)
    return feeds


def _pairs(options: Namespace) -> list[tuple[Path, str]]:
    files, sources = [Path(each) for each in options.files], options.source
    if len(files) == 1:
        return [(files[0], source) for source in sources]
    if len(sources) == 1:
        return [(file, sources[0]) for file in files]
    if len(files) != len(sources):
        raise RefusedError(
            f"{len(files)} files and {len(sources)} sources cannot be paired. Give one --source for each file, in "
            "their order; or one file for several sources; or several files for one source"
        )
    return list(zip(files, sources, strict=True))


def _feed(catalogue: Catalogue, path: Path, name: str, options: Namespace) -> Feed:
    source = catalogue.source(name)
    sample = list(islice(_numbered_rows(path, options.encoding), min(SAMPLE, options.rows or SAMPLE)))
    if not sample:
        raise RefusedError(f"{path.name} has no rows. Nothing was sent")
    reading = _reading(source, options)
    asked = {*reading.columns.values(), *([reading.arrival] if reading.arrival else [])}
    later = list(_first_rows_with(asked - {name for row in sample for name in row}, path, options))
    encoder = RowEncoder(source, key_fields(catalogue, source), [*sample, *later], reading)
    warning = early_outcomes(catalogue, source, reading)
    return Feed(path, encoder, sample, options.encoding, options.rows, tuple(catalogue.groups), warning)


def _first_rows_with(columns: set[str], path: Path, options: Namespace) -> Iterator[Row]:
    """Columns that were asked for and that no row of the sample has: the first row of the whole file with each."""
    for row in islice(_numbered_rows(path, options.encoding), options.rows) if columns else ():
        if found := columns & row.keys():
            columns = columns - found
            yield row
        if not columns:
            return


def _numbered_rows(path: Path, encoding: str) -> Iterator[Row]:
    """The rows of a file, with their numbers under the name that --map may give."""
    for number, row in enumerate(file_rows(path, encoding), 1):
        if UNREADABLE not in row:
            row[ROW_NUMBER] = number
        yield row


def _refuse_unknown_fields(catalogue: Catalogue, options: Namespace) -> None:
    """Raise RefusedError for a --map of a field that no source has."""
    known = {field.name for name in options.source for field in catalogue.source(name).fields}
    for each in options.map:
        field_name = each.partition("=")[0].rpartition(".")[2]
        if field_name not in known:
            raise RefusedError(
                f"--map {each}: no source of --source has the field {field_name}.{did_you_mean(field_name, known)} "
                "Write FIELD=COLUMN"
            )


def _reading(source: EventSource, options: Namespace) -> Reading:
    """What the options say about one source: `SOURCE.FIELD=COLUMN` and `SOURCE=COLUMN` are about that one."""
    columns = {}
    for each in options.map:
        name, _, column = each.partition("=")
        of, dot, own = name.rpartition(".")
        if not column or (dot and of not in options.source):
            raise RefusedError(f"--map {each}: write FIELD=COLUMN, or SOURCE.FIELD=COLUMN with a SOURCE of --source")
        if of == source.name or (not of and source.has(own)):
            columns[own] = column
    arrival = ArrivalText(None, 0)
    for each in options.arrival:
        of, equals, column = each.rpartition("=")
        if of in ("", source.name):
            arrival = arrival_text(column)
        if equals and of not in options.source:
            raise RefusedError(f"--arrival {each}: write COLUMN, +1h, or SOURCE=COLUMN with a SOURCE of --source")
    try:
        zone = ZoneInfo(options.timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise RefusedError(f"--timezone {options.timezone} is unknown. Give one such as Europe/Berlin") from error
    moved_us = options.move_days * DAY_US
    return Reading(columns, zone, options.epoch, *arrival, moved_us, options.decimal_comma)
