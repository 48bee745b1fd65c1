"""The pages that people read as Markdown: their headings, links and blocks of code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.architecture.source_tree import ROOT, project_files

_FENCE = re.compile(
    r"""^(?P<fence>```+)(?P<language>\w*)(?: title="(?P<title>[^"\n]+)")?[^\n]*\n(?P<code>.*?)^(?P=fence)[ \t]*$""",
    re.MULTILINE | re.DOTALL,
)
_MARK = re.compile(r"<!-- (?P<kind>not run|run by): (?P<text>[^>]+?) -->\s*\Z")
_HEADING = re.compile(r"^#{1,6} +(.+?)\s*$", re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """A block of code. `kind`: "" where it runs as it stands, else "not run" or "run by", with the text behind it.

    `title`: the name of the file that the block is.
    """

    page: str
    line: int
    language: str
    code: str
    kind: str
    text: str
    title: str = ""

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Page:
    """One Markdown file."""

    name: str
    text: str

    @property
    def path(self) -> Path:
        return ROOT / self.name

    def blocks(self) -> Iterator[Block]:
        """Its blocks of code. The comment before a block says why the block is not run, or which test runs it."""
        for found in _FENCE.finditer(self.text):
            mark = _MARK.search(self.text[: found.start()])
            kind, text = mark.group("kind", "text") if mark else ("", "")
            line = self.text.count("\n", 0, found.start()) + 1
            yield Block(self.name, line, found["language"], found["code"], kind, text, found["title"] or "")

    def links(self) -> Iterator[str]:
        """The targets of its links, without those inside code."""
        prose = re.sub(r"`[^`\n]+`", "", _FENCE.sub("", self.text))
        yield from (found.group(1) for found in _LINK.finditer(prose))

    def anchors(self) -> set[str]:
        """What a link can name behind `#`: each heading as GitHub writes it."""
        anchors: set[str] = set()
        for heading in _HEADING.findall(_FENCE.sub("", self.text)):
            plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
            anchor = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
            names = (anchor, *(f"{anchor}-{number}" for number in range(1, 100)))
            anchors.add(next(name for name in names if name not in anchors))
        return anchors


def page(name: str) -> Page:
    """The page of that name."""
    return Page(name, (ROOT / name).read_text(encoding="utf-8"))


def pages() -> list[Page]:
    """README, changelog and everything in docs/."""
    names = [path.relative_to(ROOT).as_posix() for path in project_files() if path.suffix == ".md"]
    wanted = [name for name in names if name.startswith("docs/") or name in ("README.md", "CHANGELOG.md")]
    return [page(name) for name in wanted]
