"""The materialize dataflow: events tables to feature rows and state snapshots."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

import bytewax.operators as op
from bytewax.dataflow import Dataflow
from deltalake.exceptions import DeltaError

from shared_features.definitions import load_definitions
from shared_features.kernel.event_time import to_us
from streaming.bytewax_run import run_dataflow
from streaming.log import get_log
from streaming.materialize.arrived import ArrivedEvents
from streaming.materialize.cut import Spine
from streaming.materialize.cut_source import CutSource
from streaming.materialize.feature_sink import FeatureSink, FeatureTable
from streaming.materialize.pass_step import PassStep
from streaming.settings import StreamingSettings


def build_dataflow(settings: StreamingSettings) -> Dataflow:
    """Input of cuts, a pass per cut, output of its rows; keyed by spine."""
    spines = settings_spines(settings)
    for spine in spines.values():
        FeatureTable(settings, spine)  # a table of another definition is refused before anything is computed
    tables = {
        source.name: ArrivedEvents(settings.lake, source) for spine in spines.values() for source in spine.sources
    }
    log_erased("materialize", tables.values())
    flow = Dataflow("materialize")
    cuts = op.input("cuts", flow, CutSource(settings, spines, tables))
    rows = op.stateful_batch("passes", cuts, lambda _: PassStep(settings, spines, tables))
    op.output("features", rows, FeatureSink(settings, spines))
    return flow


def log_erased(part: str, tables: Iterable[ArrivedEvents]) -> None:
    """Say so where what is rebuilt from the events lacks entities that were erased on request."""
    for table in tables:
        with suppress(OSError, DeltaError):
            table.watermark_us()
        if table.erased:
            get_log(part).info(f"events of {table.erased} erased entities are not in it", source=table.source.name)


def settings_spines(settings: StreamingSettings) -> dict[str, Spine]:
    """Every group on every spine of the definitions, by its label."""
    lateness_us, lag_us = to_us(settings.allowed_lateness), to_us(settings.pipeline_lag)
    spines: dict[str, Spine] = {}
    for group, source in load_definitions(settings.definitions).spines:
        first = all(spine.source != source for spine in spines.values())
        spine = Spine(group, source, lateness_us, lag_us, reports=first)
        spines[spine.label] = spine
    return spines


def run(settings: StreamingSettings) -> int:
    """Run to the end; the exit code."""
    return run_dataflow(settings, build_dataflow)
