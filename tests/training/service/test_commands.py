"""The lines of the documentation start, watch and fork real runs of a real `serve`."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.embedded.ports import free_port
from tests.docs.pages import Block, pages
from training.__main__ import main

ROOT = Path(__file__).parents[3]
ADDRESS = "127.0.0.1:8088"
PATIENCE_S = 250.0


def blocks() -> tuple[Block, Block]:
    (page,) = [each for each in pages() if each.name == "docs/retraining.md"]
    shell, python = [each for each in page.blocks() if each.text.endswith("service/test_commands.py")]
    return shell, python


def answered(client: httpx.Client, path: str, until: Any) -> Any:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            found = client.get(path).json()
            if until(found):
                return found
        except httpx.TransportError:
            found = None
        assert time.monotonic() < deadline, found
        time.sleep(0.2)


@pytest.mark.slow
@pytest.mark.deep  # durable runs and the routes have tests of their own
def test_the_lines_of_the_page_start_and_fork_a_run_and_a_key_is_asked_for(places, monkeypatch, capfd):
    address = f"127.0.0.1:{free_port()}"
    monkeypatch.setenv("MILLRACE_RUNS_PORT", address.partition(":")[2])
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    serving = subprocess.Popen([sys.executable, "-m", "training", "serve"], cwd=ROOT)
    try:
        with httpx.Client(base_url=f"http://{address}", timeout=30.0) as client:
            assert answered(client, "/v1/runs", lambda found: True) == []
            shell, python = (each.code.replace(ADDRESS, address) for each in blocks())
            subprocess.run(["bash", "-euo", "pipefail", "-c", shell], check=True)
            (run,) = answered(client, "/v1/runs", lambda found: found[0]["status"] in ("succeeded", "failed"))
            assert run["status"] == "succeeded", run
            assert 0 < run["summary"]["metrics"]["average_precision"] <= 1
            assert (run["summary"]["version"], run["summary"]["promoted"]) == (1, True)
            names: dict[str, Any] = {}
            exec(python, names)
            fork = f"/v1/runs/{names['fork']['id']}"
            forked = answered(client, fork, lambda found: found["status"] in ("succeeded", "failed"))
            assert forked["status"] == "succeeded", forked
            states = {each["name"]: each["state"] for each in forked["steps"]}
            assert {name: states[name] for name in ("dataset", "validate", "fit", "evaluate")} == {
                "dataset": "skipped",
                "validate": "skipped",
                "fit": "skipped",
                "evaluate": "done",
            }
            assert forked["summary"]["cut_us"] == run["summary"]["cut_us"]
            models = {each["version"]: each for each in client.get("/v1/models").json()}
            assert list(models) == [2, 1], "with other metrics it is a version of its own"
            promoted = 2 if forked["summary"]["promoted"] else 1
            assert [version for version, each in models.items() if "champion" in each["aliases"]] == [promoted]
            model = models[1]
            assert model["model"] == "breakdown"
            assert model["cut_us"] == run["summary"]["cut_us"]
            assert all(isinstance(version, int) for version in model["tables"].values())
            page = client.get("/models/breakdown/1").text
            assert model["dataset_digest"] in page
            assert f'<a href="/runs/{run["id"]}">' in page
            assert '<a href="/models/breakdown/1/model-card">' in page
            card = client.get("/models/breakdown/1/model-card")
            assert "style-src 'unsafe-inline'" in card.headers["content-security-policy"]
            assert "Version 1 may become champion, there was no champion: floors reached" in card.text
            assert client.get("/models/breakdown/9/model-card").status_code == 404
            assert client.get("/models/..%2Fregistry/1/model-card").status_code == 404
            assert '"event": "ended"' in client.get(f"/v1/runs/{run['id']}/logs/fit").text
            rows = client.get(f"/v1/runs/{run['id']}/compare/{forked['id']}").json()
            top = next(each for each in rows if each["name"] == "k")
            assert (top["section"], top["first"], top["second"]) == ("parameters", 100, 50)
            assert "Precision and recall" in client.get(f"/compare?run={run['id']}&run={forked['id']}").text
            assert main(["runs", "compare", run["id"], forked["id"]]) == 0
            assert re.search(r"^k +100 +50 +-50$", capfd.readouterr().out, re.MULTILINE)
    finally:
        serving.send_signal(signal.SIGTERM)
        assert serving.wait(60) == 0


def test_a_key_needs_a_file_and_is_shown_once(places, monkeypatch, capsys):
    assert main(["keys", "new", "ci"]) == 1
    assert "Set MILLRACE_API_KEYS_FILE" in capsys.readouterr().err
    monkeypatch.setenv("MILLRACE_API_KEYS_FILE", str(places / "keys"))
    assert main(["keys", "new", "ci", "--scope", "read,admin"]) == 0
    assert capsys.readouterr().out.startswith("millrace_")
    assert main(["keys", "list"]) == 0
    assert capsys.readouterr().out.split() == ["ci", "admin,read"]
