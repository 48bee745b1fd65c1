"""The erasure of some entities.

The steps, each of which can be repeated:

1. Empty the spool of predictions. Store the beginning with the ends of the logs. Wait until the archive is beyond them.
2. Keep aside the positions of the events.
3. Delete the events, then snapshots, feature rows and dead letters, and empty the logged predictions. A writer that
   replays states with the erased events is fenced off by the count of erasures in each table.
4. Wait for the shards. Raise the counts of erasures of the events tables, and at once those of all shards that read
   these tables, with the states in Redis deleted.
5. Remove training runs, and purge the disk.
6. If requested, delete the logs, once every shard is beyond the ends.
7. Store that the erasure is done.

The counts of the events tables are raised after the lake is clean: a build under the new count sees no erased event.
They are raised right before those of the shards: in between, a shard looks as if Redis were rolled back, and is
rebuilt.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

import pyarrow as pa

from shared_features.counted import counted
from shared_features.definitions import Catalogue, EventSource
from shared_features.formats.offline_tables import events_table
from streaming.job.clock import system_clock_us
from streaming.kafka.decoders.registry import formats_of
from streaming.lake.changes import purge
from streaming.operations.erasure.erasure_counts import ErasureCounts
from streaming.operations.erasure.record import ErasureRecord, LogEnds, salt
from streaming.operations.erasure.scope import scope_of
from streaming.operations.erasure.stores.aside import ASIDE, forget_aside, kept_aside
from streaming.operations.erasure.stores.dead_letters import DeadLetters
from streaming.operations.erasure.stores.lake_rows import LakeRows
from streaming.operations.erasure.stores.log_ends import Logs, within
from streaming.operations.erasure.stores.logged_predictions import LoggedPredictions
from streaming.operations.erasure.stores.online_states import OnlineStates
from streaming.operations.erasure.stores.spooled_predictions import SpooledPredictions
from streaming.operations.erasure.stores.training_runs import count_results, remove_runs, runs_with
from streaming.operations.erasure.subjects.subject import Subject
from streaming.operations.retirement.version import sweep
from streaming.operations.saying import instant, say
from streaming.settings import StreamingSettings

PATIENCE_S = 60.0


class Erasure:
    """The erasure of some entities of one kind."""

    def __init__(self, settings: StreamingSettings, catalogue: Catalogue, subjects: Sequence[Subject]) -> None:
        self._settings, self._subjects, self._lake = settings, subjects, settings.lake
        self._scope = scope_of(settings.lake, catalogue, subjects[0].entity)
        self._logs = Logs(settings, self._scope.logged)
        self._spool = SpooledPredictions(settings.prediction_log_spool, subjects)

    def show(self, *, with_log: bool) -> None:
        """Print what would be erased."""
        scope, ends = self._scope, self._logs.ends()
        rows = LakeRows(self._lake, self._subjects, ends, scope.ended)
        positions = {source.name: self._positions(rows, source) for source in scope.sources}
        for source in scope.sources:
            events, rows_at = rows.positions(source).num_rows, positions[source.name].num_rows
            tables = len(scope.features[source.name])
            say(
                f"{events_table(source)}: {counted(events, 'event')}, and the feature rows at "
                f"{counted(rows_at, 'position')} in {counted(tables, 'table')}"
            )
        letters = self._letters(self._subjects, ends).find(self._logs.topics, scope.others)
        say(counted(sum(map(len, letters.values())), "dead letter"))
        say(counted(self._predictions(self._subjects, ends).count() + self._spool.count(), "logged prediction"))
        with closing(OnlineStates(self._settings)) as online:
            states = counted(online.count(scope.groups, self._subjects), "state")
        say(f"{states} in Redis, of {counted(len(scope.groups), 'group')}")
        runs = self._runs(positions)
        results = count_results(runs)
        say(f"{counted(len(runs) - results, 'training run')}, {counted(results, 'result')} of their steps")
        if with_log:
            say(f"{counted(sum(self._logs.below(ends).values()), 'record')} in Kafka, of all entities")
        self._say_lost(rows)
        say("nothing is erased yet; add --execute")

    def execute(self, *, with_log: bool) -> None:
        """Erase, or continue an erasure. with_log: the records in Kafka too."""
        record, secret = ErasureRecord(self._lake), salt(self._lake)
        digests = {subject.digest(secret): subject for subject in self._subjects}
        spooled = self._spool.erase(within(PATIENCE_S))
        entity = self._subjects[0].entity.name
        ends = record.begin(entity, digests, self._logs.ends(), system_clock_us())
        batches: dict[str, list[str]] = {}
        for digest, each in ends.items():
            batches.setdefault(json.dumps(each, sort_keys=True), []).append(digest)
        for some in batches.values():
            counts = self._erase({digest: digests[digest] for digest in some}, ends[some[0]])
            if with_log:
                counts["records in Kafka"] = self._erase_logs(ends[some[0]])
            record.write("done", entity, {digest: ends[digest] for digest in some}, system_clock_us(), counts)
            for name, count in counts.items():
                say(f"{count:>9,}  {name}")
        say(f"{spooled:>9,}  predictions that Kafka did not have yet")
        for line in () if with_log else self._logs.kept():
            say(f"{line}; every stored position is beyond them, and a shard that an older Redis brings back is rebuilt")
        say("states of other entities that had seen the erased events keep what they saw until they are rebuilt")

    def _erase(self, by_digest: Mapping[str, Subject], ends: LogEnds) -> dict[str, int]:
        name, subjects, scope = next(iter(by_digest)), list(by_digest.values()), self._scope
        self._logs.wait_for_archive(ends, within(PATIENCE_S))
        rows = LakeRows(self._lake, subjects, ends, scope.ended)
        positions = {
            source.name: kept_aside(self._lake, name, source.name, self._positions(rows, source))
            for source in scope.sources
        }
        self._say_lost(rows)
        counts = {f"events of {each.name}": rows.erase_events(each) for each in scope.sources}
        counts["states in snapshots"] = rows.erase_snapshots(scope.snapshots)
        counts["feature rows"] = sum(
            rows.erase_feature_rows(scope.features[source], gone) for source, gone in positions.items()
        )
        letters, predictions = self._letters(subjects, ends), self._predictions(subjects, ends)
        counts["dead letters"] = letters.erase(letters.find(self._logs.topics, scope.others))
        counts["logged predictions"] = predictions.erase()
        counts["states in Redis"] = self._erase_online(rows, by_digest, ends, [*positions.values()])
        counts |= self._remove_runs(positions)
        sweep(self._lake)  # tables that a killed `retire` has set aside
        counts["files of the lake"] = sum(map(purge, (*scope.tables(self._lake), *predictions.tables)))
        forget_aside(self._lake, name)
        return counts

    def _letters(self, subjects: Sequence[Subject], ends: LogEnds) -> DeadLetters:
        return DeadLetters(self._lake, subjects, ends, formats_of(self._scope.catalogue.sources))

    def _predictions(self, subjects: Sequence[Subject], ends: LogEnds) -> LoggedPredictions:
        return LoggedPredictions(self._lake, subjects, ends, self._settings.prediction_log_topic)

    def _runs(self, positions: Mapping[str, pa.Table]) -> list[Path]:
        found = runs_with(self._settings.training_runs, self._scope.catalogue, positions)
        for run, readable in found.items():
            if not readable:
                say(f"training run {run}: its rows cannot be read, so it is removed too")
        return list(found)

    def _remove_runs(self, positions: Mapping[str, pa.Table]) -> dict[str, int]:
        """Look again after a removal: a result may be given its name between a look and the removal."""
        runs, results = 0, 0
        while found := self._runs(positions):
            removed = remove_runs(found)
            results += count_results(found)
            runs += removed - count_results(found)
        return {"training runs": runs, "results of training steps": results}

    def _positions(self, rows: LakeRows, source: EventSource) -> pa.Table:
        return rows.positions(source, self._scope.own_rows[source.name])

    def _say_lost(self, rows: LakeRows) -> None:
        for source in self._scope.sources:
            if (before_us := rows.lost_us(source, self._scope.own_rows[source.name])) is not None:
                say(
                    f"`retain` has deleted the events of {source.name} before {instant(before_us)}, and no feature row "
                    f"keyed by {', '.join(self._subjects[0].entity.keys)} names their positions: rows of other groups "
                    "and training runs at these events cannot be found, and stay"
                )

    def _erase_online(
        self, rows: LakeRows, by_digest: Mapping[str, Subject], ends: LogEnds, positions: Sequence[pa.Table]
    ) -> int:
        subjects, deadline = list(by_digest.values()), within(PATIENCE_S)
        own, everyone = self._scope.groups, self._scope.catalogue.groups
        with closing(OnlineStates(self._settings)) as online:
            online.wait(own, subjects, ends, deadline)
            held = any(each.num_rows for each in positions) or online.count(own, subjects) > 0
            erasure_counts = self._counted(rows, list(by_digest), held=held)
            gone = sum(online.erase(each, subjects, ends, deadline, erasure_counts.of(each)) for each in own)
            for each in (group for group in everyone if group not in own):
                online.erase(each, [], ends, deadline, erasure_counts.of(each))
        return gone

    def _erase_logs(self, ends: LogEnds) -> int:
        """The archive is beyond these records. Once the shards are too, no program here reads them again."""
        logged, groups = self._scope.logged, self._scope.catalogue.groups
        readers = [group for group in groups if any(source in logged for source in group.sources)]
        with closing(OnlineStates(self._settings)) as online:
            online.wait(readers, None, ends, within(PATIENCE_S))
        return self._logs.delete(ends)

    def _counted(self, rows: LakeRows, digests: Sequence[str], *, held: bool) -> ErasureCounts:
        """Raise the counts of erasures, unless a killed run has raised them. Entities without any data do not count."""
        file = self._lake / ASIDE / f"{digests[0]}.counts.json"
        now = {source.name: rows.erasures(source) for source in self._scope.catalogue.sources}
        if (kept := ErasureCounts.kept(file, digests, now)) is not None:
            return kept
        raised = {source.name: rows.count_erasure(source) for source in self._scope.sources} if held else {}
        erasure_counts = ErasureCounts({name: (count, count) for name, count in now.items()} | raised)
        erasure_counts.keep(file, digests)
        return erasure_counts
