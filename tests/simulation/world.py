"""One schedule: everything that can happen, in an order drawn from one seed; then calm, and all must be right."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import cache
from pathlib import Path

from shared_features.definitions import EventSource, FeatureGroup
from shared_features.formats.online_state import entity_prefix, meta_key
from shared_features.formats.shard_meta_bytes import decode_meta
from shared_features.kernel.event_time import SECOND_US
from streaming.bootstrap import group_build, shard_build, shard_states, spans_ahead
from streaming.lake.stored_positions import NEVER
from streaming.metrics import StreamingMetrics
from streaming.online import absent_shard
from streaming.online_store.shard_store import shard_label
from streaming.replay.spine import Spine
from streaming.settings import StreamingSettings, load_settings
from tests.simulation.actors import Actors
from tests.simulation.chances import Chances
from tests.simulation.check import faults
from tests.simulation.delta_model import ModelTables
from tests.simulation.domain import PAGE, READER, VISITS
from tests.simulation.in_turn import InTurn
from tests.simulation.kafka_model import KEYS, LATENESS_S, KafkaModel
from tests.simulation.processes import NAMESPACE, Archive, Bootstrap, Materialize, Online
from tests.simulation.receipts import Served
from tests.simulation.redis_model import RedisModel

LAKE = Path("/lake")
_HAPPENS = {
    "produce": 22,
    "show": 12,
    "run": 52,
    "another": 2,
    "kill": 3,
    "cut back": 4,
    "empty": 0.4,
    "land": 4,
    "grow": 0.5,
    "retention": 2,
    "outrun": 3,
    "serve": 6,
}
_AWAY = "archive", "archive", "online", "bootstrap", None, None
_WHAT, _WEIGHTS = list(_HAPPENS), list(_HAPPENS.values())
CHANGED = (
    (absent_shard, "_LOOK_EVERY_S"),
    (shard_build, "_TELL_EVERY_S"),
    (group_build, "_MOST_PARTS"),
    (spans_ahead, "ThreadPoolExecutor"),
    (shard_states, "ThreadPoolExecutor"),
)
"""Names of the product that a world sets to something else."""


@cache
def _metrics() -> StreamingMetrics:
    return StreamingMetrics(0)


@cache
def _settings() -> StreamingSettings:
    return load_settings(lake=LAKE, allowed_lateness=timedelta(seconds=LATENESS_S))


class World:
    """The stores, and who is at work. `rules`: what is taken out of the product, for the counts only."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.chances = Chances(seed)
        r = self.chances.random
        self.groups: tuple[FeatureGroup, ...] = r.choice(((READER,), (READER,), (PAGE,), (READER, PAGE)))
        self.sources: tuple[EventSource, ...] = tuple(
            {each.name: each for each in (VISITS, *(group.sources[0] for group in self.groups))}.values()
        )
        self.spines = [Spine(group, VISITS, LATENESS_S * SECOND_US) for group in self.groups]
        self.labels = [
            (shard_label(group, number), group, number) for group in self.groups for number in range(group.shards)
        ]
        self.settings, self.lake, self.metrics = _settings(), LAKE, _metrics()
        self.kafka = KafkaModel(self.sources, self.chances)
        self.redis = RedisModel()
        self.tables = ModelTables(self.chances)
        self.served: list[Served] = []
        self.settling = False
        # What the product does by the wall clock happens always or never: a schedule follows from its seed alone.
        absent_shard._LOOK_EVERY_S = 0.0
        shard_build._TELL_EVERY_S = r.choice((0.0, 1e9))
        group_build._MOST_PARTS = 2
        spans_ahead.ThreadPoolExecutor = shard_states.ThreadPoolExecutor = InTurn  # type: ignore[attr-defined, assignment]
        self.build_bytes = r.choice((1, 1 << 30, 1 << 30))
        self._patience = r.choice((1, 2, 6))
        makers: dict[str, Callable[[], Callable[[], None]]] = {
            "online": lambda: Online(self),
            "archive": lambda: Archive(self),
            "bootstrap": lambda: Bootstrap(self),
        }
        for spine in self.spines:
            makers[f"materialize {spine.label}"] = lambda spine=spine: Materialize(self, spine)  # type: ignore[misc]
        self._actors = Actors(makers, self.chances)

    def run(self) -> list[str]:
        """What was wrong at the end; empty when all is right."""
        r = self.chances.random
        acts = r.choice((1, 2, 3, 3))
        try:
            for act in range(acts):
                if act and (found := self._pause()):
                    return found
                away = r.choice(_AWAY)
                for _ in range(r.randint(42, 142) // acts):
                    self._step(away)
            return self._settle() or faults(self)
        finally:
            self._actors.end()

    def archived(self) -> bool:
        """Whether every table of the archive holds all of the log, and marks have passed all that matters."""
        for path, log in self.tables.logs.items():
            positions = log.versions[-1].positions
            if path.name.startswith(("events_", "dead_")):
                topics = [key for key in self.kafka.logs if path.name in (f"events_{key[0]}", "dead_letters")]
                for topic, number in topics:
                    if positions.get(f"offset:{topic}:id:{number}", NEVER) + 1 < len(
                        self.kafka.logs[topic, number].records
                    ):
                        return False
                if positions.get("watermark", 0) < self.kafka.clock_us() - 10 * SECOND_US:
                    return False
        return True

    # ---- what happens

    def _step(self, away: str | None) -> None:
        r = self.chances.random
        what = r.choices(_WHAT, _WEIGHTS)[0]
        name = r.choice([name for name in (*self._actors.names, *self._actors.names) if name != away])
        if what == "produce":
            for _ in range(r.randint(1, 3)):
                self.kafka.produce()
        elif what == "another":
            self._actors.start(name)
            self.chances.count(f"second or zombie: {name}")
        elif what == "kill" and self._actors.of(name):
            self._actors.kill(name, r.choice(self._actors.of(name)))
        elif what == "cut back" and self.redis.past:
            if r.random() < 0.7:  # a machine started anew: who asks where to begin may meet Redis before and after
                self._actors.start("online")
                self._actors.of("online")[-1].step(r.randint(2, 4) * len(self.labels) + r.randint(0, 1))
            if self.redis.past:
                self.redis.cut_back(r.choice(self.redis.past))
                self.chances.count("Redis: cut back")
        elif what == "empty" and self.redis.values:
            self.redis.cut_back({})
            self.chances.count("Redis: emptied")
        elif what == "land" and self.redis.on_their_way:
            self.redis.land(r.choice(self.redis.on_their_way))
            self.chances.count("Redis: a late call lands")
        elif what == "show":
            self.kafka.show()
        elif what == "grow":
            self.kafka.grow()
        elif what == "retention":
            self.kafka.forget()
        elif what == "outrun":
            self._outrun()
        elif what == "serve":
            self._serve()
        elif what == "run":
            self._actors.run_on(name, r.randint(1, 4) ** self._patience % 60 + 1)

    def _outrun(self) -> None:
        """`online` takes what just came while nobody archives it; some of it may be deleted before anybody does."""
        for _ in range(self.chances.random.randint(1, 5)):
            self.kafka.produce()
        self.kafka.show_all()
        self._actors.run_on("online", 60)
        if self.chances.random.random() < 0.5:
            self.kafka.forget()
        self.chances.count("online outran the archive")

    def _serve(self) -> None:
        """A prediction reads an entity with its shard's meta, in one step."""
        r = self.chances.random
        _, group, number = r.choice(self.labels)
        meta, prefix = (
            self.redis.values.get(meta_key(NAMESPACE, group, number)),
            entity_prefix(NAMESPACE, group, number),
        )
        if meta is not None and not decode_meta(meta).behind:
            stored = sorted(int(key[len(prefix) :]) for key in self.redis.values if key.startswith(prefix))
            key = r.choice(stored) if stored and r.random() < 0.8 else r.randrange(KEYS)
            self.served.append(
                Served(group, number, key, decode_meta(meta), self.redis.values.get(prefix + b"%d" % key))
            )

    # ---- the end

    def _pause(self) -> list[str]:
        """A calm hour in the middle: afterwards all that goes wrong befalls shards that are live and tables with rows.

        What a build leaves behind in Redis is met by what comes after it only.
        """
        self.kafka.now_s += self.chances.random.choice((0, 5, 40))
        found = self._calm(["archive", "bootstrap", "online"])
        self.settling = False
        for name in self._actors.names:
            self._actors.run_on(name, self.chances.random.choice((1, 40)))
        self.chances.calm = False
        self.chances.count("a pause")
        return found

    def _settle(self) -> list[str]:
        """No fault any more: every process in turn, until each has nothing left to do."""
        self.redis.on_their_way.clear()
        self.kafka.now_s += self.chances.random.choice((40, 40, 40, 500))
        names = ["archive", "bootstrap", "online"]
        names += [name for name in self._actors.names if name.startswith("materialize")]
        return self._calm([*names, *names])

    def _calm(self, names: list[str]) -> list[str]:
        self.chances.calm = self.settling = True
        self.kafka.show_all()
        self._actors.kill_some()
        for name in names:
            if not self._actors.finish(name):
                return [f"{name.split()[0]} never settles"]
        return []
