"""All pages of the reference by the name of their file, with the page that lists them."""

from __future__ import annotations

from collections.abc import Callable

from tests.architecture.source_tree import ROOT
from tests.docs.reference import aggregations, dead_letters, endpoint, errors, field_types, metrics, windows

FOLDER = ROOT / "docs" / "reference"
PAGES: dict[str, Callable[[], str]] = {
    "field-types.md": field_types.page,
    "aggregations.md": aggregations.page,
    "windows.md": windows.page,
    "endpoint.md": endpoint.page,
    "metrics.md": metrics.page,
    "errors.md": errors.page,
    "dead-letters.md": dead_letters.page,
}
_HEAD = """\
# Reference

These pages are written from the code by `./run exec python -m tests.docs.reference`. A test compares them with the
code.

"""


def reference_pages() -> dict[str, str]:
    """The text of each page."""
    written = {name: page() for name, page in PAGES.items()}
    titles = [f"- [{text.partition(chr(10))[0].removeprefix('# ')}]({name})" for name, text in written.items()]
    return {"index.md": _HEAD + "\n".join([*titles, "- [Settings](../settings.md)"]) + "\n", **written}
