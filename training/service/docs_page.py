"""The page `/docs`: the paths of the service and its problems, written from the OpenAPI document and the table.

It works without JavaScript and without any network, in light and dark. The type of a problem leads to its row.
"""

from __future__ import annotations

from html import escape
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.responses import HTMLResponse

from training.service.problems import PROBLEMS, UNEXPECTED, UNKNOWN_ROUTE

_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 0 auto; padding: 1rem; }
div { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid #8886; padding: .4rem .6rem; text-align: left; vertical-align: top; }
tr:target { background: #fc06; }
"""


def docs_router(app: FastAPI) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/docs")
    def docs() -> HTMLResponse:
        policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
        return HTMLResponse(docs_page(app.openapi()), headers={"content-security-policy": policy})

    return router


def docs_page(document: dict[str, Any]) -> str:
    """The page's HTML."""
    paths = "".join(
        f"<tr><td><code>{verb.upper()} {escape(path)}</code><td>{escape(operation['summary'])}"
        f"<td>{escape(operation.get('description', ''))}"
        for path, verbs in document["paths"].items()
        for verb, operation in verbs.items()
    )
    problems = "".join(
        f'<tr id="{each.name}"><td><code>{each.name}</code><td>{each.status}<td>{escape(each.title)}'
        for each in (*PROBLEMS.values(), UNKNOWN_ROUTE, UNEXPECTED)
    )
    title = escape(document["info"]["title"])
    return f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><link rel="icon" href="data:,"><style>{_STYLE}</style></head>
<body>
<h1>{title}</h1>
<p>{escape(document["info"]["description"])} <a href="openapi.json">openapi.json</a> describes every field.</p>
<h2>Paths</h2>
<div><table><thead><tr><th>path<th>what it does<th></thead><tbody>{paths}</tbody></table></div>
<h2>Problems</h2>
<p>The <code>type</code> of a problem leads to its row. <code>detail</code> says what to do.</p>
<div><table><thead><tr><th>type<th>status<th>what is wrong</thead><tbody>{problems}</tbody></table></div>
</body>
</html>
"""
