"""The demo, phase by phase: wiring only."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack

from deploy.demo.options import DemoOptions
from deploy.demo.report import lake_facts
from deploy.demo.report.facts import Facts, event_facts, model_facts, prediction_facts, write_json
from deploy.demo.report.history_rate import HistoryRate, described
from deploy.demo.report.replayed_features import replay_features
from deploy.demo.report.screen import Screen
from deploy.demo.report.summary import show_summary, show_what_stays
from deploy.demo.stage.stage import Stage, shown
from deploy.demo.traffic.durable_records import DurableRecords
from deploy.demo.traffic.live_feed import LiveFeed
from deploy.demo.traffic.paced_producer import BUDGET_BYTES, PacedProducer
from deploy.demo.traffic.prediction_client import PredictionClient, require_answers
from deploy.demo.traffic.scenario import Scenario, build_scenario
from deploy.local.parts.compiled_kernel import KERNEL
from deploy.local.parts.programs import Program
from deploy.local.parts.readiness import endpoint
from deploy.local.parts.running_parts import SERVING, STREAM, TRAINING
from deploy.local.respondent import Respondent
from deploy.local.stack.interruption import Interruption
from deploy.local.stack.standing import Part
from shared_features.kernel.event_time import to_text
from streaming.operations.status.answer import status_json
from streaming.operations.status.observer import StatusObserver

_NOTHING_MOVES_S = 240.0
_LOGS_JSON = {"MILLRACE_LOG_FORMAT": "json"}  # so that its log lines are told from what it prints
_LOOK_EVERY_S = 0.2
_UNPACED_BYTES = 1 << 50


class Story:
    """One run. `exits` ends what was started, in reverse."""

    def __init__(self, options: DemoOptions, screen: Screen, interruption: Interruption, exits: ExitStack) -> None:
        self._options, self._screen, self._interruption, self._exits = options, screen, interruption, exits
        self._feed: LiveFeed | None = None

    def tell(self) -> Facts:
        """All phases; the facts. Raises LocalError or EmbeddedError."""
        began_s = time.monotonic()
        with self._screen.phase("stage", "Setting the stage"):
            scenario = build_scenario(self._options)
            self._stage = Stage(self._options, scenario.import_until_us, self._told, self._exits)
            self._parts, self._directory = self._stage.parts, self._stage.directory
            self._screen.line(f"everything of this run is in {shown(self._directory.path)}")
        with self._screen.phase("kernel", "Compiling the kernel (once: numba keeps it)"):
            self._parts.compile_kernel(self._interruption)
        self._streaming = self._parts.begin(STREAM, ["streaming", "run"], "loading")
        self._durable = DurableRecords(self._parts.settings)
        budget = BUDGET_BYTES if self._stage.needs_pacing else _UNPACED_BYTES
        address = self._parts.settings.kafka_bootstrap_servers
        self._producer = PacedProducer(address, self._durable, budget_bytes=budget)
        with self._screen.phase("history", f"Streaming {scenario.described}, and their outcomes after seven days"):
            history = self._stream_history(scenario)
            self._stage.board.put(STREAM, "up", "online, archive, materialize, bootstrap")
            self._stage.go_live()
        feed = self._feed = LiveFeed(self._producer, scenario.live)
        if not scenario.own_times:
            feed.start()
            self._exits.callback(feed.abandon)
            self._screen.line(f"live traffic continues from here, {self._options.rate:g} transactions a second")
        with self._screen.phase("rows", "Feature rows: every transaction, as it would have been served"):
            self._wait_for_rows()
        with self._screen.phase("training", "Training on what the stream stored"):
            self._train()
        with self._screen.phase("serving", "Starting the endpoint"):
            self._serve()
        with self._screen.phase("predict", "Predicting each transaction right before it is streamed"):
            client = self._predict(scenario, feed)
        with self._screen.phase("drain", "Waiting until every sink has everything"):
            feed.pause()
            self._wait_until_durable(scenario.truth.records)
            status = status_json(StatusObserver(self._parts.settings).observe())
        with self._screen.phase("count", "Counting, and computing served features again from the lake"):
            lake = self._directory.lake
            facts: Facts = {
                "run": str(self._directory.path),
                "kafka": self._parts.remembered.kafka,
                "seed": self._options.seed,
                "history": history,
                "live": {"records": feed.records, "seconds": feed.seconds, "own_times": scenario.own_times},
                "events": event_facts(lake, self._parts.catalogue, scenario.truth),
                "model": model_facts(self._directory.registry),
                "predictions": prediction_facts(client, replay_features(lake, client.answered)),
                "status": status,
            }
        facts["phase_seconds"] = {name: round(seconds, 2) for name, seconds in self._screen.seconds.items()}
        facts["seconds"] = round(time.monotonic() - began_s, 2)
        write_json(self._directory.path / "summary.json", facts)
        if self._options.json is not None:
            write_json(self._options.json, facts)
        show_summary(self._screen.console, self._stage, facts, stays=self._options.stay)
        if self._options.stay:
            self._stay(scenario, feed)
        return facts

    def _told(self, part: Part) -> None:
        """What `up` shows of its parts: those that are up, and how far the kernel is."""
        if part.state in ("up", "ended") or part.name == KERNEL:
            self._screen.line(f"{part.name}: {part.says}{f', {part.address}' if part.address else ''}")

    def _check(self) -> None:
        """Raise what went wrong, or what was asked for."""
        self._interruption.check()
        self._stage.check()
        if self._feed is not None:
            self._feed.check()

    def _stream_history(self, scenario: Scenario) -> Facts:
        total = scenario.traffic.records_until(scenario.history_until_us)
        rate = HistoryRate(total)

        def look() -> None:
            self._check()
            self._durable()
            bar.show(self._durable.records, rate.seen(self._durable.records))

        with self._screen.bar(total) as bar:
            for _ in self._producer.send(scenario.traffic.history(scenario.history_until_us)):
                if time.monotonic() - rate.looked_s > _LOOK_EVERY_S:
                    look()
            self._producer.flush()
            self._wait_until_durable(total, look)
        facts = rate.facts()
        self._screen.line(f"{described(facts)}; safe in Redis and in the lake")
        return facts

    def _wait_until_durable(self, records: int, look: Callable[[], None] | None = None) -> None:
        def waits() -> str | None:
            self._durable() if look is None else look()
            stored = self._durable.records
            return None if stored >= records else f"{stored:,} of {records:,} records are durable"

        self._wait_for(self._streaming, waits)

    def _wait_for_rows(self) -> None:
        """Until the feature rows are complete as far as the events tables are now."""
        lake, catalogue = self._directory.lake, self._parts.catalogue
        wanted = lake_facts.watermark_us(lake, catalogue)

        def waits() -> str | None:
            cut = lake_facts.cut_us(lake, catalogue)
            there = "are missing" if cut is None else f"are complete up to {to_text(cut)}"
            return None if wanted is None or (cut or 0) >= wanted else f"feature rows {there}, not {to_text(wanted)}"

        self._wait_for(self._streaming, waits)

    def _train(self) -> None:
        def told(line: str) -> None:
            if not line.startswith("{"):  # the log file has what is logged
                self._screen.line(line.replace(f"{self._directory.path}/", ""))

        with self._parts.program(TRAINING, ["training", "run"], _LOGS_JSON) as program:
            program.run_to_end(told, self._check)

    def _serve(self) -> None:
        serving = self._parts.begin(SERVING, ["serving"], "loading", address=self._parts.remembered.serving_url)
        port = int(self._parts.remembered.serving_port or 0)

        def waits() -> str | None:
            answers, missing = endpoint(port)
            return None if answers and not missing else "; ".join(missing) or "no answer yet"

        self._wait_for(serving, waits)
        self._stage.board.put(SERVING, "up", "predicts; its documentation is at /docs")

    def _wait_for(self, program: Program, waits: Callable[[], str | None]) -> None:
        """Until it waits for nothing. Raises LocalError where it waits for the same thing for minutes."""
        said, since_s = waits(), time.monotonic()
        while said is not None:
            self._check()
            if time.monotonic() - since_s > _NOTHING_MOVES_S:
                raise program.failed(f"has stood still for {_NOTHING_MOVES_S:.0f} s: {said}")
            time.sleep(_LOOK_EVERY_S)
            if (now := waits()) != said:
                said, since_s = now, time.monotonic()

    def _predict(self, scenario: Scenario, feed: LiveFeed) -> PredictionClient:
        client = PredictionClient(int(self._parts.remembered.serving_port or 0), scenario.own_times)
        self._exits.callback(client.close)
        feed.before_sending = client.before_sending
        if scenario.own_times:
            feed.start()
            self._exits.callback(feed.abandon)
        until_s = float("inf") if scenario.own_times else time.monotonic() + self._options.live_seconds
        while feed.running and time.monotonic() < until_s:
            self._check()
            time.sleep(0.05)
        feed.check()
        feed.before_sending = None
        require_answers(client)
        self._screen.line(f"{len(client.answered):,} predictions")
        return client

    def _stay(self, scenario: Scenario, feed: LiveFeed) -> None:
        if not scenario.own_times:
            feed.start()
        self._wait_for(self._stage.schedule(), self._stage.scheduler_waits)
        respondent = Respondent(self._directory, self._parts.settings, self._parts.catalogue)
        self._stage.board.phase("ready")
        show_what_stays(self._screen.console, self._stage, own_times=scenario.own_times)
        while True:
            self._check()
            respondent.step()
            time.sleep(_LOOK_EVERY_S)
