"""The docs page works without a network, under any prefix, and every problem type leads to its row."""

import asyncio
import re
from urllib.parse import urljoin

import httpx
import pytest

from serving.connections.connection_problems import CONNECTION_PROBLEMS
from serving.endpoints.docs_page import docs_page
from serving.problems import PROBLEMS, UNEXPECTED

PAGE = docs_page("A title")
LINKS = re.findall(r'(?:src|href)="([^"]+)"', PAGE)


def get(serving, path):
    async def once():
        async with serving() as client:
            return await client.get(path)

    return asyncio.run(once())


def test_the_page_refers_to_nothing_outside_and_holds_nothing_inline(serving):
    """A script of the page, or of anybody who gets a text into it, can reach this service and nothing else."""
    response = get(serving, "/docs")
    assert "//" not in re.sub(r"<!doctype html>", "", response.text)
    assert not re.search(r"<script(?! src=)|<style| on\w+=| style=", response.text)
    policy = dict(part.strip().split(" ", 1) for part in response.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    for name in ("script-src", "style-src", "connect-src"):
        assert policy[name] == "'self'"
    assert not re.search("unsafe|http", response.headers["content-security-policy"])


@pytest.mark.parametrize("link", [link for link in LINKS if not link.startswith("data:")])
def test_every_file_of_the_page_is_served_here(serving, link):
    response = get(serving, urljoin("/docs", link))
    assert response.status_code == 200
    kind = {"js": "text/javascript", "css": "text/css", "json": "application/json"}[link.rpartition(".")[2]]
    assert response.headers["content-type"].startswith(kind)
    assert len(response.content) > 100


def test_only_the_files_of_the_page_are_served(serving):
    for name in ("app.py", "..%2Fapp.py", "%2Fetc%2Fpasswd", "docs_page.py"):
        response = get(serving, f"/docs/{name}")
        assert response.status_code == 404
        assert response.json()["type"] == "/docs#unknown-route"


def test_all_addresses_are_relative_so_that_a_path_prefix_does_not_matter(serving):
    assert all(re.match(r"data:|docs/|openapi\.json$", link) for link in LINKS)
    script = get(serving, "/docs/docs_page.js").text
    assert not re.search(r"https?:|localhost|127\.0\.0\.1|8000", script)
    assert "window.location.href" in script
    assert get(serving, "/openapi.json").json()["servers"][0]["url"] == "."


def test_page_and_document_are_found_under_the_root_path_of_a_proxy(serving):
    async def through_a_proxy():
        async with serving() as client:
            app = client._transport.app
            transport = httpx.ASGITransport(app, root_path="/models")
            async with httpx.AsyncClient(transport=transport, base_url="http://outside") as outside:
                page = await outside.get("/models/docs")
                document = await outside.get(urljoin("/models/docs", "openapi.json"))
                path = next(iter(document.json()["paths"]))
                body = document.json()["paths"][path]["post"]["requestBody"]["content"]["application/json"]["example"]
                return page, document.json(), await outside.post(f"/models{path}", json=body)

    page, document, answer = asyncio.run(through_a_proxy())
    assert page.status_code == 200
    assert document["servers"][0]["url"] == "/models"
    assert answer.status_code == 200


def test_every_problem_type_leads_to_a_row_that_says_what_to_do():
    for problem in (*PROBLEMS.values(), UNEXPECTED, *CONNECTION_PROBLEMS):
        assert f'<tr id="{problem.name}">' in PAGE
        assert problem.advice
    assert '<tr id="unknown-route">' in PAGE
    assert "`" not in PAGE


def test_the_title_is_a_text():
    assert "<b>" not in docs_page("<b>")
