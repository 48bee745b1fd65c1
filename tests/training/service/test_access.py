"""Who is answered: with keys those who have one, without keys this machine, and never the page of another site."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fastapi import Depends, FastAPI, Security
from fastapi.testclient import TestClient

from training.errors import RequestError
from training.service.access import Access
from training.service.api_keys import RUN, add_key
from training.service.problems import answer_problems
from training.service.web_server import serving_http
from training.settings import load_settings

HERE = "http://127.0.0.1:8088"


def client(keys: Path | None, at: str = HERE) -> TestClient:
    access = Access(keys)
    app = FastAPI(dependencies=[Depends(access.check)])
    answer_problems(app)

    @app.get("/look")
    def look() -> str:
        return "seen"

    @app.get("/take", dependencies=[Security(access.check, scopes=[RUN])])
    def take() -> str:
        return "taken"

    @app.post("/start")
    def start() -> str:
        return "started"

    return TestClient(app, base_url=at)


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def test_a_key_opens_what_its_scopes_name_until_it_is_withdrawn(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    looks, runs = add_key(file, "looks", ["read"]), add_key(file, "runs", ["run"])
    asked = client(file, "http://runs.example:8088")
    without = asked.get("/look")
    assert (without.status_code, without.json()["type"]) == (401, "/docs#unknown-key")
    assert without.headers["www-authenticate"].startswith("Basic")
    assert asked.get("/look", headers=bearer("wrong")).status_code == 401
    assert asked.get("/look", headers=bearer(looks)).status_code == 200
    assert asked.get("/look", auth=("anybody", looks)).status_code == 200
    refused = asked.post("/start", headers=bearer(looks))
    assert (refused.status_code, refused.json()["detail"]) == (
        403,
        "Key looks lacks the scope 'run'. Use a key that was made with it.",
    )
    assert asked.post("/start", headers=bearer(runs)).status_code == 200
    assert [asked.get("/take", headers=bearer(each)).status_code for each in (looks, runs)] == [403, 200]
    file.write_text("\n".join(line for line in file.read_text().splitlines() if "runs" not in line))
    assert asked.post("/start", headers=bearer(runs)).status_code == 401


def test_a_page_of_another_site_is_refused() -> None:
    asked = client(None)
    assert asked.post("/start").status_code == 200
    assert asked.post("/start", headers={"origin": HERE}).status_code == 200
    for headers in ({"origin": "http://evil.example"}, {"origin": "null"}, {"host": "evil.example:8088"}):
        assert asked.post("/start", headers=headers).status_code == 403


def test_without_keys_only_loopback_is_listened_to(tmp_path: Path) -> None:
    settings = load_settings().model_copy(update={"runs_host": "0.0.0.0"})
    nothing: Any = None
    with (
        pytest.raises(RequestError, match=r"there are no API keys. Set MILLRACE_RUNS_KEYS"),
        serving_http(settings, nothing),
    ):
        pass
