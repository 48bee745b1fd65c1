"""`python -m streaming erase`.

In this order, each step so that it can be done again: store the beginning with the logs' ends; wait until the archive
is beyond them; keep aside where the events lie; delete events, then snapshots, then feature rows (whoever replays
states with the erased events in them is fenced off by the count of erasures in each table), dead letters; wait for the
shards; raise the events tables' counts of erasures, and at once those of all shards that read them, with the states in
Redis deleted; training runs; purge the disk; where asked for, the logs, once every shard is beyond; store that it is
done.

The events tables' counts come after the lake is clean: whoever builds of it under the new count sees none of what is
erased. And they come right before the shards': in between a shard is of before, as if Redis were set back, and built.
"""

from __future__ import annotations

import json
import time
from argparse import Namespace
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import redis
from confluent_kafka import KafkaException

from shared_features.definitions import Catalogue, EventSource, load_definitions
from shared_features.formats.offline_tables import DEAD_LETTERS_TABLE, events_table, snapshots_table
from streaming.erasure.lake_rows import LakeRows, purge
from streaming.erasure.log_ends import Logs, within
from streaming.erasure.online_states import OnlineStates
from streaming.erasure.raises import Raises
from streaming.erasure.record import ErasureRecord, LogEnds, salt
from streaming.erasure.subject import Subject, subject_of
from streaming.erasure.tables import features_on, group_tables
from streaming.erasure.training_runs import remove_runs, runs_with
from streaming.errors import EXIT_OK, RefusedError
from streaming.saying import say
from streaming.settings import StreamingSettings

PATIENCE_S = 60.0
_ASIDE = ".erasing"


def run(settings: StreamingSettings, options: Namespace) -> int:
    """The exit code. RefusedError where a store is not beyond the logs' ends yet: wait, then run it again."""
    catalogue = load_definitions(settings.definitions)
    subjects = [subject_of(catalogue, options.entity, key) for key in dict.fromkeys(options.keys)]
    try:
        erasure = Erasure(settings, catalogue, subjects)
        if not options.execute:
            erasure.show(with_log=options.with_log)
            return EXIT_OK
        erasure.execute(with_log=options.with_log)
        return EXIT_OK
    except KafkaException as error:
        raise RefusedError(f"Kafka cannot be asked: {error.args[0].str()}; run this again when it is there") from error
    except redis.RedisError as error:
        raise RefusedError(f"Redis cannot be asked ({error}); run this again when it is there") from error


class Erasure:
    """The erasure of some entities of one kind."""

    def __init__(self, settings: StreamingSettings, catalogue: Catalogue, subjects: Sequence[Subject]) -> None:
        self._settings, self._catalogue, self._subjects = settings, catalogue, subjects
        self._lake = settings.lake
        entity = subjects[0].entity
        self._sources = [source for source in catalogue.sources if subjects[0].is_in(source)]
        self._groups = [group for group in catalogue.groups if group.entity == entity]
        self._snapshots = group_tables(self._lake, snapshots_table, self._groups, catalogue.sources)
        self._features = {source.name: features_on(self._lake, source, catalogue) for source in self._sources}
        self._logs = Logs(settings, self._sources)
        self._refuse_forgotten_versions()

    def show(self, *, with_log: bool) -> None:
        """What would go."""
        ends = self._logs.ends()
        rows = LakeRows(self._lake, self._subjects, ends)
        positions = {source.name: rows.positions(source) for source in self._sources}
        for source in self._sources:
            say(f"{events_table(source)}: {positions[source.name].num_rows:,} events, and the feature rows at them in "
                f"{len(self._features[source.name])} tables")  # fmt: skip
        say(f"{len(rows.dead_letters([source.topic for source in self._sources])):,} dead letters")
        online = OnlineStates(self._settings)
        say(f"{online.count(self._groups, self._subjects):,} states in Redis, of {len(self._groups)} groups")
        online.close()
        say(f"{len(runs_with(self._settings.training_runs, self._catalogue, positions))} training runs")
        if with_log:
            say(f"{sum(self._logs.below(ends).values()):,} records in Kafka, of all entities")
        say("nothing is erased yet; add --execute to do it")

    def execute(self, *, with_log: bool) -> None:
        """Erase, or go on erasing. with_log: the records in Kafka, too."""
        record, secret = ErasureRecord(self._lake), salt(self._lake)
        digests = {subject.digest(secret): subject for subject in self._subjects}
        last = record.last()
        now_ends = self._logs.ends()
        ends = {
            digest: last[digest].log_ends if digest in last and last[digest].step == "begun" else now_ends
            for digest in digests
        }
        entity = self._subjects[0].entity.name
        new = {digest: each for digest, each in ends.items() if each is now_ends}
        if new:
            record.write("begun", entity, new, _now_us())
        batches: dict[str, list[str]] = {}
        for digest, each in ends.items():
            batches.setdefault(json.dumps(each, sort_keys=True), []).append(digest)
        for some in batches.values():
            counts = self._erase({digest: digests[digest] for digest in some}, ends[some[0]])
            if with_log:
                counts["records in Kafka"] = self._erase_logs(ends[some[0]])
            record.write("done", entity, {digest: ends[digest] for digest in some}, _now_us(), counts)
            for name, count in counts.items():
                say(f"{count:>9,}  {name}")
        for line in () if with_log else self._logs.kept():
            say(f"{line}; every position is beyond them, and a shard that an older Redis brings back is built anew")
        say("states of other entities that had seen the erased events keep what they saw until they are rebuilt")

    def _erase(self, by_digest: Mapping[str, Subject], ends: LogEnds) -> dict[str, int]:
        name, subjects = next(iter(by_digest)), list(by_digest.values())
        self._logs.wait_for_archive(ends, within(PATIENCE_S))
        rows = LakeRows(self._lake, subjects, ends)
        positions = {source.name: self._kept_aside(rows, source, name) for source in self._sources}
        counts = {f"events of {source.name}": rows.erase_events(source) for source in self._sources}
        counts["states in snapshots"] = rows.erase_snapshots(self._snapshots)
        counts["feature rows"] = sum(
            rows.erase_feature_rows(self._features[source], gone) for source, gone in positions.items()
        )
        letters = rows.dead_letters([source.topic for source in self._sources])
        counts["dead letters"] = rows.erase_dead_letters(letters)
        counts["states in Redis"] = self._erase_online(rows, by_digest, ends, [*positions.values()])
        counts["training runs"] = remove_runs(runs_with(self._settings.training_runs, self._catalogue, positions))
        counts["files of the lake"] = purge(self._tables())
        for file in (self._lake / _ASIDE).glob(f"{name}.*"):
            file.unlink()
        return counts

    def _erase_online(
        self, rows: LakeRows, by_digest: Mapping[str, Subject], ends: LogEnds, positions: Sequence[pa.Table]
    ) -> int:
        subjects, deadline = list(by_digest.values()), within(PATIENCE_S)
        others = [group for group in self._catalogue.groups if group not in self._groups]
        with closing(OnlineStates(self._settings)) as online:
            online.wait(self._groups, subjects, ends, deadline)
            held = any(each.num_rows for each in positions) or online.count(self._groups, subjects) > 0
            raises = self._raises(rows, list(by_digest), held=held)
            gone = sum(online.erase(each, subjects, ends, deadline, raises.of(each)) for each in self._groups)
            for each in others:
                online.erase(each, [], ends, deadline, raises.of(each))
        return gone

    def _erase_logs(self, ends: LogEnds) -> int:
        """The archive is beyond; when the shards are, too, nobody here reads those records again."""
        readers = [
            group for group in self._catalogue.groups if any(source in self._sources for source in group.sources)
        ]
        with closing(OnlineStates(self._settings)) as online:
            online.wait(readers, None, ends, within(PATIENCE_S))
        return self._logs.delete(ends)

    def _raises(self, rows: LakeRows, digests: Sequence[str], *, held: bool) -> Raises:
        """Raise the counts of erasures, unless a run that was killed has. Who was nowhere is not counted."""
        file = self._lake / _ASIDE / f"{digests[0]}.counts.json"
        now = {source.name: rows.erasures(source) for source in self._catalogue.sources}
        if (kept := Raises.kept(file, digests, now)) is not None:
            return kept
        raised = {source.name: rows.count_erasure(source) for source in self._sources} if held else {}
        raises = Raises({name: (count, count) for name, count in now.items()} | raised)
        raises.keep(file, digests)
        return raises

    def _kept_aside(self, rows: LakeRows, source: EventSource, name: str) -> pa.Table:
        """Where the events lie, also those that a run that was killed has deleted already."""
        file = self._lake / _ASIDE / f"{name}.{source.name}.parquet"
        found = rows.positions(source)
        file.parent.mkdir(exist_ok=True)
        # Of whichever erasure was killed: what was begun is to go.
        before = [pq.read_table(each) for each in sorted(file.parent.glob(f"*.{source.name}.parquet"))]
        found = pa.concat_tables([found, *before]).group_by(found.column_names).aggregate([])
        temporary = file.with_suffix(".new")
        pq.write_table(found, temporary)
        temporary.replace(file)
        return found

    def _tables(self) -> list[Path]:
        events = [self._lake / events_table(source) for source in self._sources]
        features = [path for paths in self._features.values() for path in paths]
        return [*events, *features, *self._snapshots, self._lake / DEAD_LETTERS_TABLE]

    def _refuse_forgotten_versions(self) -> None:
        known = group_tables(self._lake, snapshots_table, self._catalogue.groups, self._catalogue.sources)
        if unknown := sorted({path.parent.name for path in self._lake.glob("snapshots_*/_delta_log")} - {
            path.name for path in known
        }):  # fmt: skip
            raise RefusedError(
                f"{', '.join(unknown)} are of versions that the definitions no longer hold, so nobody knows whose "
                "states they are, here and in Redis; `retire` those versions first"
            )


def _now_us() -> int:
    return time.time_ns() // 1000
