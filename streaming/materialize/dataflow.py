"""The materialize dataflow: events tables to feature rows and state snapshots."""

from __future__ import annotations

import bytewax.operators as op
from bytewax.dataflow import Dataflow

from streaming.job.bytewax_run import run_dataflow
from streaming.lake.events_reader import EventsReader, log_erased
from streaming.materialize.cut_source import CutSource
from streaming.materialize.feature_sink import FeatureSink, refuse_other_definition
from streaming.materialize.pass_step import PassStep
from streaming.replay.spine import settings_spines
from streaming.settings import StreamingSettings


def build_dataflow(settings: StreamingSettings) -> Dataflow:
    """Input of cuts, a pass per cut, output of its rows. Keyed by spine."""
    spines = settings_spines(settings)
    for spine in spines.values():
        refuse_other_definition(settings, spine)  # before anything is computed
    tables = {source.name: EventsReader(settings.lake, source) for spine in spines.values() for source in spine.sources}
    log_erased("materialize", tables.values())
    flow = Dataflow("materialize")
    cuts = op.input("cuts", flow, CutSource(settings, spines, tables))
    rows = op.stateful_batch("passes", cuts, lambda _: PassStep(settings, spines, tables))
    op.output("features", rows, FeatureSink(settings, spines))
    return flow


def run(settings: StreamingSettings) -> int:
    """Run to the end. Returns the exit code."""
    return run_dataflow(settings, build_dataflow)
