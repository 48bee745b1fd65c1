"""The page of a model version: its lineage from the graph to the dataset, the definitions and the tables."""

from __future__ import annotations

from html import escape
from urllib.parse import quote

from training.service.page.parts import facts, instant, instant_us, numbers, run_link, status, table
from training.service.routes.answers import ModelAnswer


def model_page(model: ModelAnswer, runs: list[str]) -> str:
    """runs: those of the newest that published it."""
    made = facts(
        {
            "aliases": " ".join(status(name) for name in model.aliases),
            "estimator": escape(model.estimator),
            "made at": instant(model.created_at),
            "metrics": numbers(model.metrics),
            "sha256 of the graph": _code(model.model_digest),
            "model card": f'<a href="{_path(model)}/model-card">with what the gate asked and found</a>',
            "published by": ", ".join(map(run_link, runs)),
        }
    )
    dataset = facts({"digest": _code(model.dataset_digest), "complete up to": instant_us(model.cut_us)})
    groups = [(escape(name), _code(fingerprint)) for name, fingerprint in model.groups.items()]
    definitions = facts({"view": escape(model.view), "fingerprint": _code(model.view_fingerprint)})
    tables = [(escape(name), f"{version:,}") for name, version in sorted(model.tables.items())]
    return (
        '<ol class="lineage">'
        f"<li><h2>Model</h2>{made}"
        f"<li><h2>Dataset</h2>{dataset}"
        f"<li><h2>Definitions</h2>{definitions}{table(('feature group', 'fingerprint'), groups)}"
        "<li><h2>Positions</h2><p>The tables as they were read. Each version of a table holds the events up to "
        f"stored Kafka offsets; all that had arrived before {instant_us(model.cut_us)} UTC is in them.</p>"
        f"{table(('table', 'version'), tables)}</ol>"
    )


def _path(model: ModelAnswer) -> str:
    return f"/models/{quote(model.model, safe='')}/{model.version}"


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>"
