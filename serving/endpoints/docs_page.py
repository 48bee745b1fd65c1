"""The docs page: Swagger UI over the OpenAPI document, from files of installed packages, without any network.

All its addresses are relative, so it works under whatever host, port and path prefix the browser reached it.
"""

from __future__ import annotations

import html
import re
from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter, Response
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse

from serving.connections.connection_problems import CONNECTION_PROBLEMS
from serving.problems import PROBLEMS, UNEXPECTED, unrouted

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
"""Nothing from elsewhere and nothing inline. The style sheet of Swagger UI holds its icons as `data:` addresses."""

_SWAGGER = Path(str(files("fastapi_offline"))) / "static"  # the package that ships the files of Swagger UI
_OWN = Path(__file__).parent
_FILES = {
    "swagger-ui-bundle.js": _SWAGGER,
    "swagger-ui.css": _SWAGGER,
    "docs_page.js": _OWN,
    "docs_page.css": _OWN,
}


def docs_router(title: str) -> APIRouter:
    """The route `/docs` and the files of the page."""
    page = docs_page(title).encode()
    router = APIRouter(include_in_schema=False)

    @router.api_route("/docs", methods=["GET", "HEAD"])
    async def docs() -> Response:
        headers = {"content-security-policy": CONTENT_SECURITY_POLICY}
        return Response(page, media_type="text/html; charset=utf-8", headers=headers)

    @router.api_route("/docs/{name}", methods=["GET", "HEAD"])
    async def file(name: str) -> Response:
        if name not in _FILES:
            raise HTTPException(404)
        return FileResponse(_FILES[name] / name)

    return router


def docs_page(title: str) -> str:
    """The page's HTML. Swagger UI fills the element `swagger-ui`; each problem type has an anchor below."""
    problems = [(str(each.status), each) for each in (*PROBLEMS.values(), UNEXPECTED, *CONNECTION_PROBLEMS)]
    problems.append(("404, 405", unrouted(404)))
    rows = [
        f'<tr id="{each.name}"><td><code>{each.name}</code><td>{status}'
        f"<td>{html.escape(each.title)}<td>{_with_code(each.advice)}"
        for status, each in problems
    ]
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{html.escape(title)}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/swagger-ui.css">
<link rel="stylesheet" href="docs/docs_page.css">
</head>
<body>
<noscript>This page needs JavaScript. <a href="openapi.json">openapi.json</a> holds the same for tools.</noscript>
<div id="swagger-ui"></div>
<section class="problems">
<h2>Problems</h2>
<p>A request that cannot be answered gets problem details (RFC 9457). Their <code>type</code> leads to a row below.</p>
<table>
<thead><tr><th>type<th>status<th>what is wrong<th>what to do</thead>
<tbody>
{chr(10).join(rows)}
</tbody>
</table>
</section>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/docs_page.js"></script>
</body>
</html>
"""


def _with_code(text: str) -> str:
    """HTML of a text that has code between backticks."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text))
