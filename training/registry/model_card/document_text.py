"""A document as sections of sentences, tables and plots, written as Markdown and as one HTML file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; --ink: light-dark(#1c1e21, #e6e6e6);
  --quiet: light-dark(#5b6270, #a4abb8); --edge: light-dark(#d7dbe2, #3a3f48);
  background: light-dark(#f6f7f9, #131518); color: var(--ink); }
body { max-width: 70rem; margin: 0 auto; padding: 1rem; }
.table { overflow-x: auto; margin: .6rem 0; }
table { border-collapse: collapse; }
th, td { border-bottom: 1px solid var(--edge); padding: .3rem .8rem .3rem 0; text-align: left; vertical-align: top;
  font-variant-numeric: tabular-nums; }
.facts td { overflow-wrap: anywhere; }
.facts td:first-child { overflow-wrap: normal; }
th { color: var(--quiet); }
figure { display: inline-block; width: min(100%, 21.5rem); margin: .6rem 1rem .6rem 0; vertical-align: top; }
svg { max-width: 100%; height: auto; }
svg text { fill: var(--quiet); font-size: 12px; text-anchor: middle; }
svg .end { text-anchor: end; }
svg .start { text-anchor: start; }
.grid { stroke: var(--edge); fill: none; }
.dot { fill: var(--quiet); opacity: .45; }
.line { fill: none; stroke-width: 2.5; stroke: light-dark(#0b57d0, #9ec1ff); }
.line-1 { stroke: light-dark(#8a5300, #ffc46b); stroke-dasharray: 7 4; }
.line-2 { stroke: light-dark(#176b2c, #6fd388); stroke-dasharray: 2 3; }
.line-3 { stroke: light-dark(#9c27b0, #e0a3ee); stroke-dasharray: 12 3 2 3; }
.line-4 { stroke: light-dark(#b3261e, #f2a19b); stroke-dasharray: 1 3; }
.bar { fill: light-dark(#0b57d0, #9ec1ff); }
.keys { list-style: none; padding: 0; font-size: .85rem; }
"""


@dataclass(frozen=True)
class Table:
    """head: the names of the columns."""

    head: tuple[str, ...]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Section:
    """says: paragraphs. plots: SVG figures, which Markdown leaves out."""

    title: str
    says: Sequence[str] = ()
    tables: Sequence[Table] = ()
    plots: Sequence[str] = ()


def write_markdown(title: str, sections: Sequence[Section]) -> str:
    """The document for a repository, a wiki or a screen of text."""
    return f"# {title}\n\n{''.join(map(markdown_section, sections))}".rstrip() + "\n"


def markdown_section(section: Section) -> str:
    """As it stands in `write_markdown`, up to the next one."""
    lines = [f"## {section.title}", ""]
    for text in section.says:
        lines += [_plain(text), ""]
    for table in section.tables:
        lines += [_row(table.head), "|" + "---|" * len(table.head), *map(_row, table.rows), ""]
    return "".join(f"{line}\n" for line in lines)


def write_html(title: str, sections: Sequence[Section]) -> str:
    """The document for a browser."""
    body = "".join(map(html_section, sections))
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>\n'
        f"<body><h1>{escape(title)}</h1>\n{body}</body></html>\n"
    )


def html_section(section: Section) -> str:
    """As it stands in `write_html`."""
    return (
        f"<section><h2>{escape(section.title)}</h2>"
        + "".join(f"<p>{escape(text)}</p>" for text in section.says)
        + "".join(map(_html_table, section.tables))
        + "".join(section.plots)
        + "</section>\n"
    )


def _html_table(table: Table) -> str:
    names = "".join(f'<th scope="col">{escape(each)}</th>' for each in table.head)
    head = f"<thead><tr>{names}</tr></thead>" if any(table.head) else ""
    rows = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in table.rows)
    kind = "table" if head else "table facts"
    return f'<div class="{kind}"><table>{head}<tbody>{rows}</tbody></table></div>'


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(_plain(cell).replace("|", "\\|") for cell in cells) + " |"


def _plain(text: str) -> str:
    """One line, in which no character of a user's text begins HTML."""
    return " ".join(text.split()).replace("<", "&lt;")
