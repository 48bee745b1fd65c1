"""The parts of the page: HTML of tables, buttons, forms and values, with every text escaped."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from html import escape
from typing import Any
from urllib.parse import quote

from fastapi.responses import HTMLResponse

from training.scheduler.workflow.run_states import CANCELLED, FAILED, QUEUED, RUNNING
from training.service.routes.answers import RunAnswer

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; "
    "form-action 'self'"
)
_HEAD = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    '<link rel="icon" href="data:,"><link rel="stylesheet" href="/page/page.css">'
    '<script src="/page/page.js" defer></script>'
)
_FOOT = '<footer><a href="/docs">Paths and problems</a> <a href="/metrics">Metrics</a></footer>'


def document(title: str, body: str, *, is_moving: bool = False) -> HTMLResponse:
    """A whole page. is_moving: something that it shows has not ended, so its live parts are asked for again."""
    home = "" if title == "Training runs" else '<nav><a href="/">All runs</a></nav>'
    text = (
        f"{_HEAD}<title>{escape(title)}</title></head>"
        f'<body data-moving="{str(is_moving).lower()}">{home}<main><h1>{escape(title)}</h1>'
        f'<p id="says" role="status"></p>{body}</main>{_FOOT}</body></html>'
    )
    return HTMLResponse(text, headers={"content-security-policy": _POLICY, "cache-control": "no-store"})


def live(name: str, inner: str) -> str:
    """A part that the script replaces by its newest state."""
    return f'<section id="{name}" class="live">{inner}</section>'


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]], empty: str = "", *, kind: str = "") -> str:
    """Cells are HTML. On a narrow screen each row is a block of lines, with the names of the columns.

    kind: `compared`, where the first cell names what the others are values of; these share a line.
    """
    body = "".join(
        "<tr>"
        + "".join(
            f'<td data-label="{name}"><div class="cell">{cell}</div>' for name, cell in zip(head, row, strict=True)
        )
        for row in rows
    )
    if not body:
        return f"<p>{empty}</p>"
    names = "".join(f'<th scope="col">{each}' for each in head)
    return f'<table class="{kind}"><thead><tr>{names}</thead><tbody>{body}</tbody></table>'


def button(verb: str, path: str, label: str, *, follows: bool = False) -> str:
    """follows: afterwards the page of the run that the answer names is shown."""
    more = " data-follows" if follows else ""
    return f'<button type="button" data-verb="{verb}" data-path="{escape(path)}"{more}>{label}</button>'


def form(title: str, verb: str, path: str, fields: str, label: str, *, follows: bool = False) -> str:
    """A form that opens on demand. `{name}` in the path is replaced by its field `name`."""
    more = " data-follows" if follows else ""
    return (
        f'<details><summary>{title}</summary><form data-verb="{verb}" data-path="{escape(path)}"{more}>{fields}'
        f"<button>{label}</button></form></details>"
    )


def text_field(name: str, label: str, value: str = "", *, kind: str = "", required: bool = False) -> str:
    """kind: `number`, or empty for a text."""
    more = (' inputmode="numeric" data-as="number"' if kind == "number" else "") + (" required" if required else "")
    return f'<label>{label}<input name="{name}" value="{escape(value)}" autocomplete="off"{more}></label>'


def choice_field(name: str, label: str, options: Mapping[str, str]) -> str:
    """options: value -> what is shown; the first is chosen at first."""
    shown = "".join(f'<option value="{escape(value)}">{escape(text)}</option>' for value, text in options.items())
    return f'<label>{label}<select name="{name}">{shown}</select></label>'


def file_field(label: str) -> str:
    """The form sends the file itself."""
    return f'<label>{label}<input type="file" accept=".gz" required></label>'


def parameters_field(example: str = "train_days=14&#10;top=50") -> str:
    """example: HTML."""
    return (
        '<label>Parameters, one NAME=VALUE a line<textarea name="parameters" data-as="pairs" rows="3" '
        f'placeholder="{example}"></textarea></label>'
    )


def run_path(run_id: str) -> str:
    return quote(run_id, safe="")


def run_link(run_id: str) -> str:
    return f'<a href="/runs/{run_path(run_id)}">{escape(run_id)}</a>'


def run_button(run: RunAnswer, *, follows: bool = False) -> str:
    """What can be done with a run as it stands."""
    verb = {QUEUED: "cancel", RUNNING: "cancel", CANCELLED: "resume", FAILED: "resume"}.get(run.status)
    path = f"/v1/runs/{run_path(run.id)}/{verb}"
    return "" if verb is None or run.imported else button("POST", path, verb.capitalize(), follows=follows)


def is_moving(runs: Iterable[RunAnswer]) -> bool:
    return any(each.status in (QUEUED, RUNNING) for each in runs)


def status(state: str) -> str:
    return f'<span class="state {state}">{state}</span>'


def states(run: RunAnswer) -> str:
    """How the run stands, what the gate said, and whether it was done elsewhere."""
    return " ".join(status(each) for each in (run.status, run.gate, "imported" if run.imported else None) if each)


def seconds(value: float | None) -> str:
    return "" if value is None else f'<span class="number">{value:.1f} s</span>'


def breakable(name: str) -> str:
    """A long name as HTML, which a narrow column breaks behind an underscore and not inside a word."""
    return escape(name).replace("_", "_<wbr>")


def numbers(metrics: Mapping[str, Any]) -> str:
    return "".join(
        f'<div class="pair"><span>{breakable(name)}</span> <span class="number">{value:.4g}</span></div>'
        for name, value in metrics.items()
        if isinstance(value, int | float)
    )


def plain(values: Mapping[str, Any]) -> str:
    return "<br>".join(f"{escape(name)} {escape(json.dumps(value))}" for name, value in values.items())


def instant(text: str | None) -> str:
    """An RFC 3339 instant to the second."""
    return "" if not text else f"<time>{escape(text[:10])} {escape(text[11:19])}</time>"


def instant_us(at_us: int | None) -> str:
    return "" if at_us is None else f"<time>{datetime.fromtimestamp(at_us / 1e6, UTC):%Y-%m-%d %H:%M}</time>"


def facts(rows: Mapping[str, str]) -> str:
    """Names and values; those without a value are left out."""
    lines = "".join(f"<dt>{name}<dd>{value}" for name, value in rows.items() if value)
    return f"<dl>{lines}</dl>"
