"""The page `/docs`, to which the type of each problem leads."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.testclient import TestClient

from training.service.docs_page import docs_router
from training.service.problems import PROBLEMS, UNEXPECTED, UNKNOWN_ROUTE


def test_the_page_lists_every_path_and_has_an_anchor_for_every_problem() -> None:
    app = FastAPI(title="Runs", description="What <they> are.", docs_url=None)

    @app.get("/v1/runs/{run_id}", summary="A run & its steps")
    def show(run_id: str) -> str:
        return run_id

    app.include_router(docs_router(app))
    answer = TestClient(app).get("/docs")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "<code>GET /v1/runs/{run_id}</code><td>A run &amp; its steps" in answer.text
    assert "What &lt;they&gt; are." in answer.text
    for each in (*PROBLEMS.values(), UNKNOWN_ROUTE, UNEXPECTED):
        assert f'<tr id="{each.name}">' in answer.text
