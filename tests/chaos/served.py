"""A real endpoint that answers while faults strike; afterwards every answer of its log is audited.

Most requests are large and as of now, as a batch job sends them. Some name an instant beside an event's own time. Every
second endpoint answers degraded where the store cannot.
"""

from __future__ import annotations

import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
from deltalake import DeltaTable

from deploy.embedded.ports import free_port
from deploy.embedded.processes.background_process import BackgroundProcess
from shared_features.definitions import Catalogue
from shared_features.formats.offline_tables import events_table
from shared_features.formats.prediction_log import prediction_source
from tests.end_to_end.job import ROOT
from tests.serving.published_models import publish
from training.datasets.offline_store import OfflineStore
from training.inference.audit.audit import audit
from training.inference.audit.findings import Audited
from training.inference.audit.stored_log import StoredLog
from training.registry.versions import Registry

_INSTANCES, _NAMED_EVERY, _ASKING = 500, 8, 2
ANSWERED = "answered requests"
_AFTER_MS = (-400, -1, 0, 1, 400)
_ROUNDS, _RECOVERS_WITHIN_S = 8, 240.0
"""After each round of faults comes such a part of the answers, however slowly the job recovers on a busy machine."""
_PAUSE_S, _REFUSED_PAUSE_S, _STORED_WITHIN_S = 0.02, 0.2, 400.0


class Served:
    """Asks until it got `wanted` predictions. environment: of the job, with its registry and the topic of the log."""

    def __init__(
        self,
        seed: int,
        folder: Path,
        environment: Mapping[str, str],
        catalogue: Catalogue,
        recent: Sequence[dict[str, Any]],
        wanted: int,
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._catalogue, (self._view,), self._recent, self._wanted = catalogue, catalogue.views, recent, wanted
        self._counting = threading.Lock()
        self._folder, self._registry = folder, Path(environment["MILLRACE_REGISTRY"])
        port = free_port()
        self._environment = {
            **environment,
            "MILLRACE_SERVING_PORT": str(port),
            "MILLRACE_SERVING_DRAIN_S": "0",
            "MILLRACE_SERVING_MAX_INSTANCES": str(_INSTANCES),
            "MILLRACE_SERVING_DEADLINE_MS": "2000",
            "MILLRACE_SERVING_MAX_WAIT_MS": "20000",
            "MILLRACE_PREDICTION_LOG_SPOOL": str(folder / "spool"),
            "MILLRACE_ALLOW_DEGRADED": str(seed % 2 == 0),
        }
        self._url = f"http://127.0.0.1:{port}"
        self._stopped, self._enough = threading.Event(), threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(random.Random(f"served {seed} {number}"),), daemon=True)
            for number in range(_ASKING)
        ]
        self._child: BackgroundProcess | None = None

    def start(self) -> None:
        """Publish a model, start the endpoint, and begin to ask."""
        publish(self._registry, self._view)
        command = [sys.executable, "-m", "serving"]
        log = self._folder / "serving.log"
        self._child = BackgroundProcess(command, log=log, cwd=ROOT, environment=self._environment)
        for thread in self._threads:
            thread.start()

    @property
    def has_enough(self) -> bool:
        """Whether it got what it wanted."""
        return self._enough.is_set()

    def recover(self) -> None:
        """Wait until it has answered again, a part of what is wanted, or for some time at most."""
        until_s, wanted = time.monotonic() + _RECOVERS_WITHIN_S, self.counts["predictions"] + self._wanted // _ROUNDS
        while self.counts["predictions"] < wanted and time.monotonic() < until_s:
            self._enough.wait(_REFUSED_PAUSE_S)

    def stop_asking(self) -> None:
        """Harmless when stopped, or not started."""
        self._stopped.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def end(self) -> None:
        """Leave nothing behind."""
        self.stop_asking()
        if self._child is not None:
            self._child.stop()

    def audit(self, lake: Path) -> Audited:
        """Of everything that was answered, once the archive has it. The faults are over."""
        self.stop_asking()
        self._wait_until(self._is_delivered, "the endpoint has delivered its log")
        logged = self.counts[ANSWERED]
        self._wait_until(lambda: _stored(lake) >= logged, f"the archive has {logged} records")
        store = OfflineStore(lake)
        return audit(store, Registry(self._registry), self._catalogue, StoredLog(store))

    def _run(self, chance: random.Random) -> None:
        with httpx.Client(base_url=self._url, timeout=30.0) as client:
            while not self._stopped.wait(_PAUSE_S):
                try:
                    self._ask(client, _instances(chance, list(self._recent)))
                except httpx.TransportError:
                    self._count({"no answer": 1})
                    self._stopped.wait(_REFUSED_PAUSE_S)

    def _ask(self, client: httpx.Client, instances: list[dict[str, Any]]) -> None:
        answered = client.post(f"/v1/views/{self._view.name}:predict", json={"instances": instances})
        self._count({f"answered {answered.status_code}": 1})
        if answered.status_code == 200:
            self._count({ANSWERED: 1, "predictions": len(instances), "degraded": answered.json()["degraded"]})
        else:
            self._stopped.wait(_REFUSED_PAUSE_S)
        if self.counts["predictions"] >= self._wanted:
            self._enough.set()

    def _count(self, counts: Mapping[str, int]) -> None:
        with self._counting:
            self.counts.update(counts)

    def _is_delivered(self) -> bool:
        lines = httpx.get(f"{self._url}/metrics", timeout=30.0).text.splitlines()
        said = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        return all(float(said[f"serving_prediction_log_{name}"]) == 0 for name in ("spool_bytes", "waiting"))

    def _wait_until(self, is_so: Any, what: str) -> None:
        deadline_s = time.monotonic() + _STORED_WITHIN_S
        while not is_so():
            if time.monotonic() > deadline_s:
                raise AssertionError(f"not within {_STORED_WITHIN_S:g} s: {what}; {dict(self.counts)}")
            time.sleep(0.2)


def _instances(chance: random.Random, recent: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of one request: many as of now, or one beside the time of an event."""
    if recent and not chance.randrange(_NAMED_EVERY):
        event = chance.choice(recent)
        return [
            {name: event[name] for name in ("plant", "machine", "heat")}
            | {"at": event["at"] + chance.choice(_AFTER_MS)}
        ]
    return [
        {
            "plant": f"p{chance.randrange(8)}" if chance.random() < 0.95 else f"q{chance.randrange(40)}",
            "machine": f"m{chance.randrange(4)}",
            "heat": round(chance.uniform(-20, 120), 2),
        }
        for _ in range(_INSTANCES)
    ]


def _stored(lake: Path) -> int:
    path = str(lake / events_table(prediction_source("any")))
    return int(DeltaTable(path).count()) if DeltaTable.is_deltatable(path) else 0
