"""The demo, phase by phase: wiring only."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack

from deploy.demo.options import DemoOptions
from deploy.demo.report import lake_facts
from deploy.demo.report.facts import Facts, event_facts, model_facts, prediction_facts, write_json
from deploy.demo.report.replayed_features import replay_features
from deploy.demo.report.screen import Screen
from deploy.demo.report.summary import show_summary, show_what_stays
from deploy.demo.running_programs import RunningPrograms
from deploy.demo.stage.retraining import retrain_each_minute
from deploy.demo.stage.stage import DEFINITIONS, Stage, set_stage, shown
from deploy.demo.traffic.durable_records import DurableRecords
from deploy.demo.traffic.live_feed import LiveFeed
from deploy.demo.traffic.paced_producer import BUDGET_BYTES, PacedProducer
from deploy.demo.traffic.prediction_client import PredictionClient, require_answers
from deploy.demo.traffic.scenario import Scenario, build_scenario
from deploy.local.parts.environment import settings_of
from deploy.local.parts.programs import Program
from deploy.local.parts.readiness import endpoint
from deploy.local.stack.interruption import Interruption
from shared_features.definitions import load_definitions

_NOTHING_MOVES_S = 240.0
_LOGS_JSON = {"MILLRACE_LOG_FORMAT": "json"}  # so that its log lines are told from what it prints
_READY_WITHIN_S = 240.0
_LOOK_EVERY_S = 0.2
_UNPACED_BYTES = 1 << 50


class Story:
    """One run. `stack` ends what was started, in reverse."""

    def __init__(self, options: DemoOptions, screen: Screen, interruption: Interruption, stack: ExitStack) -> None:
        self._options, self._screen, self._interruption, self._stack = options, screen, interruption, stack
        self._catalogue = load_definitions(DEFINITIONS)

    def tell(self) -> Facts:
        """All phases; the facts. Raises DemoError."""
        began_s = time.monotonic()
        with self._screen.phase("stage", "Setting the stage"):
            scenario = build_scenario(self._options)
            self._stage = set_stage(self._options, scenario.import_until_us, self._stack)
            self._screen.line(_describe(self._stage))
            self._programs = RunningPrograms(self._stage, self._interruption, self._stack)
        with self._screen.phase("kernel", "Compiling the kernel (once: numba keeps it)"):
            self._programs.run("kernel", ["deploy.local.compile_kernel"], self._screen.line)
        self._streaming = self._programs.start("streaming", ["streaming", "run"])
        self._durable = DurableRecords(settings_of(self._stage.shown_environment))
        budget = BUDGET_BYTES if self._stage.needs_pacing else _UNPACED_BYTES
        self._producer = PacedProducer(self._stage.kafka, self._durable, budget_bytes=budget)
        with self._screen.phase("history", f"Streaming {scenario.described}, and their outcomes after seven days"):
            history = self._stream_history(scenario)
            self._stage.go_live()
        feed = LiveFeed(self._producer, scenario.live)
        if not scenario.own_times:
            feed.start()
            self._stack.callback(feed.abandon)
            self._screen.line(f"live traffic continues from here, {self._options.rate:g} transactions a second")
        with self._screen.phase("rows", "Feature rows: every transaction, as it would have been served"):
            self._wait_for_rows(feed)
        with self._screen.phase("training", "Training on what the stream stored"):
            self._programs.run("training", ["training", "run"], self._training_line, feed, _LOGS_JSON)
        with self._screen.phase("serving", "Starting the endpoint"):
            self._wait_until_ready(self._programs.start("serving", ["serving"]), feed)
        with self._screen.phase("predict", "Predicting each transaction right before it is streamed"):
            client = self._predict(scenario, feed)
        with self._screen.phase("drain", "Waiting until every sink has everything"):
            feed.pause()
            self._wait_until_durable(scenario.truth.records, feed)
            status = self._programs.status()
        with self._screen.phase("count", "Counting, and computing served features again from the lake"):
            facts: Facts = {
                "run": str(self._stage.run.path),
                "kafka": self._stage.kafka_kind,
                "seed": self._options.seed,
                "history": history,
                "live": {"records": feed.records, "seconds": feed.seconds, "own_times": scenario.own_times},
                "events": event_facts(self._stage, self._catalogue, scenario.truth),
                "model": model_facts(self._stage.registry),
                "predictions": prediction_facts(client, replay_features(self._stage.lake, client.answered)),
                "status": status,
            }
        facts["phase_seconds"] = {name: round(seconds, 2) for name, seconds in self._screen.seconds.items()}
        facts["seconds"] = round(time.monotonic() - began_s, 2)
        write_json(self._stage.run.path / "summary.json", facts)
        if self._options.json is not None:
            write_json(self._options.json, facts)
        show_summary(self._screen.console, self._stage, facts, stays=self._options.stay)
        if self._options.stay:
            self._stay(scenario, feed)
        return facts

    def _stream_history(self, scenario: Scenario) -> Facts:
        total = scenario.traffic.records_until(scenario.history_until_us)
        began_s = looked_s = time.monotonic()
        first: tuple[float, int] | None = None  # the programs are still loading when the first events are sent

        def look() -> None:
            nonlocal first, looked_s
            self._programs.check()
            self._durable()
            looked_s, done = time.monotonic(), self._durable.records
            if first is None and done:
                first = looked_s, done
            rate = 0.0 if first is None else (done - first[1]) / max(looked_s - first[0], 1e-3)
            bar.show(done, f"{rate:,.0f} events/s" if done else "the dataflows are starting")

        with self._screen.bar(total) as bar:
            for _ in self._producer.send(scenario.traffic.history(scenario.history_until_us)):
                if time.monotonic() - looked_s > _LOOK_EVERY_S:
                    look()
            self._producer.flush()
            self._wait_until_durable(total, None, look)
        seconds = time.monotonic() - began_s
        facts = {"records": total, "seconds": seconds, "records_per_second": total / seconds}
        after = ""
        if first is not None and first[1] < total:
            facts["started_after_seconds"] = first[0] - began_s
            facts["records_per_second"] = (total - first[1]) / (time.monotonic() - first[0])
            after = f" once the dataflows had started ({first[0] - began_s:.1f} s)"
        rate = facts["records_per_second"]
        self._screen.line(f"{total:,} events in {seconds:.1f} s, {rate:,.0f}/s{after}; safe in Redis and in the lake")
        return facts

    def _wait_until_durable(self, records: int, feed: LiveFeed | None, look: Callable[[], None] | None = None) -> None:
        moved_s, most = time.monotonic(), -1
        while self._durable.records < records:
            self._programs.check(feed)
            self._durable()
            if look is not None:
                look()
            if self._durable.records > most:
                moved_s, most = time.monotonic(), self._durable.records
            if time.monotonic() - moved_s > _NOTHING_MOVES_S:
                raise self._streaming.failed(f"stores nothing any longer: {most:,} of {records:,} records are durable")
            time.sleep(_LOOK_EVERY_S)

    def _wait_for_rows(self, feed: LiveFeed) -> None:
        """Until the feature rows are complete as far as the events tables are now."""
        wanted = lake_facts.watermark_us(self._stage.lake, self._catalogue)
        moved_s, cut = time.monotonic(), None
        while wanted is not None and (cut is None or cut < wanted):
            self._programs.check(feed)
            if (now := lake_facts.cut_us(self._stage.lake, self._catalogue)) != cut:
                moved_s, cut = time.monotonic(), now
            if time.monotonic() - moved_s > _NOTHING_MOVES_S:
                raise self._streaming.failed("writes no feature rows any longer")
            time.sleep(_LOOK_EVERY_S)

    def _predict(self, scenario: Scenario, feed: LiveFeed) -> PredictionClient:
        client = PredictionClient(self._stage.serving_port, scenario.own_times)
        self._stack.callback(client.close)
        feed.before_sending = client.before_sending
        if scenario.own_times:
            feed.start()
            self._stack.callback(feed.abandon)
        until_s = float("inf") if scenario.own_times else time.monotonic() + self._options.live_seconds
        while feed.running and time.monotonic() < until_s:
            self._programs.check(feed)
            time.sleep(0.05)
        feed.check()
        feed.before_sending = None
        require_answers(client)
        self._screen.line(f"{len(client.answered):,} predictions")
        return client

    def _stay(self, scenario: Scenario, feed: LiveFeed) -> None:
        if not scenario.own_times:
            feed.start()
        scheduler = self._programs.start("scheduler", ["training", "serve"], revived=True)
        deadline = time.monotonic() + _READY_WITHIN_S
        while not retrain_each_minute(self._stage.runs_port):
            self._programs.check(feed)
            if time.monotonic() > deadline:
                raise scheduler.failed(f"does not answer after {_READY_WITHIN_S:.0f} s")
            time.sleep(_LOOK_EVERY_S)
        show_what_stays(self._screen.console, self._stage, own_times=scenario.own_times)
        while True:
            self._programs.check(feed)
            time.sleep(_LOOK_EVERY_S)

    def _wait_until_ready(self, serving: Program, feed: LiveFeed) -> None:
        deadline = time.monotonic() + _READY_WITHIN_S
        while (found := endpoint(self._stage.serving_port)) != (True, []):
            self._programs.check(feed)
            if time.monotonic() > deadline:
                said = "; ".join(found[1]) or "no answer yet"
                raise serving.failed(f"is not ready after {_READY_WITHIN_S:.0f} s: {said}")
            time.sleep(_LOOK_EVERY_S)
        self._screen.line(f"{self._stage.serving_url} is ready, its documentation is at /docs")

    def _training_line(self, line: str) -> None:
        if not line.startswith("{"):  # the log file has what is logged
            self._screen.line(line.replace(f"{self._stage.run.path}/", ""))


def _describe(stage: Stage) -> str:
    kafka = {"simulator": "a Kafka simulator", "apache": "Apache Kafka", "yours": f"your Kafka ({stage.kafka})"}
    redis = "redis-server" if any(name == "redis-server" for name, _ in stage.embedded) else "your Redis"
    return f"{kafka[stage.kafka_kind]} and {redis} are up; everything of this run is in {shown(stage.run.path)}"
