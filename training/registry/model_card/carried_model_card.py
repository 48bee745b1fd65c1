"""The model card of a version, carried to another one of the same graph: the same, with a sentence on top."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from training.registry.model_card.model_card import MODEL_CARD_HTML, MODEL_CARD_MARKDOWN

FIRST_SECTION = {MODEL_CARD_MARKDOWN: "\n## ", MODEL_CARD_HTML: "<section>"}
"""Where the first section begins: nothing before it is a user's text."""


def carried_model_card(files: Mapping[str, bytes], says: str) -> dict[str, bytes]:
    """The files of a version with a sentence on top of its model card, where it has one."""
    notes = {MODEL_CARD_MARKDOWN: f"\n{says}\n", MODEL_CARD_HTML: f"<p>{escape(says)}</p>\n"}
    noted = {
        name: files[name].replace(top.encode(), f"{notes[name]}{top}".encode(), 1)
        for name, top in FIRST_SECTION.items()
        if name in files
    }
    return {**files, **noted}
