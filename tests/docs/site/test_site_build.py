"""The site as it is built: it asks no other host, its links lead somewhere, and search finds every page."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.architecture.source_tree import ROOT
from tests.docs.site.site_build import build_site

PAGES = sorted(path.relative_to(ROOT / "docs").with_suffix(".html").as_posix() for path in ROOT.glob("docs/**/*.md"))
LOADED = ("src", "srcset", "data", "poster", "action", "formaction")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("built") / "site"
    build_site(target)
    return target


@dataclass
class Read(HTMLParser):
    """What a page of the site loads, links to, names and runs."""

    loads: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)
    code: list[str] = field(default_factory=list)
    in_code: bool = False

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given.get("id", ""), given.get("name", "") if tag == "a" else ""}
        self.loads += [given[name] for name in LOADED if name in given]
        if "href" in given:
            (self.links if tag == "a" else self.loads).append(given["href"])
        self.code += [given["style"]] if "style" in given else []
        self.in_code = tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self.in_code = False

    def handle_data(self, data: str) -> None:
        if self.in_code:
            self.code.append(data)


@pytest.fixture(scope="module")
def read(site: Path) -> dict[str, Read]:
    pages = {}
    for path in site.rglob("*.html"):
        pages[path.relative_to(site).as_posix()] = page = Read()
        page.feed(path.read_text(encoding="utf-8"))
    return pages


def test_every_page_is_built_and_in_the_navigation(read: dict[str, Read]) -> None:
    assert set(PAGES) <= set(read)
    reached = {urlsplit(link).path.removeprefix("./") for link in read["index.html"].links}
    assert set(PAGES) <= reached, "give a new page its place in the `nav` of zensical.toml"


def test_no_page_loads_anything_from_another_host(read: dict[str, Read]) -> None:
    """Plain links may lead elsewhere. What is loaded unasked may not."""
    assert not [(name, load) for name, page in read.items() for load in page.loads if urlsplit(load).netloc]
    assert not [(name, code) for name, page in read.items() for code in page.code if elsewhere(code)]


def test_no_script_names_another_host_and_no_stylesheet_loads_from_one(site: Path) -> None:
    scripts, styles = list(site.rglob("*.js")), list(site.rglob("*.css"))
    assert scripts
    assert styles
    code = [path for path in scripts if path.name != "search.js"]  # that one holds the text of the pages
    assert not [(path.name, each) for path in code for each in elsewhere(path.read_text(encoding="utf-8"))]
    loads = re.compile(r"""(?:url\(|@import)\s*["']?\s*(?:https?:)?//""")
    assert not [path.name for path in styles if loads.search(path.read_text(encoding="utf-8"))]


def elsewhere(code: str) -> list[str]:
    """Addresses that code could load from. The names of XML (w3.org) are none."""
    return [each for each in re.findall(r"https?://[\w.-]+", code) if each != "http://www.w3.org"]


def broken(read: dict[str, Read]) -> Iterator[tuple[str, str]]:
    for name, page in read.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or name == "404.html":
                continue
            path = (Path("/", name).parent / unquote(parts.path)).as_posix() if parts.path else f"/{name}"
            target = read.get(Path(path).resolve().relative_to("/").as_posix())
            if target is None or (parts.fragment and unquote(parts.fragment) not in target.anchors):
                yield name, link


def test_every_link_inside_of_the_site_leads_to_a_page_and_an_anchor(read: dict[str, Read]) -> None:
    assert list(broken(read)) == []


def test_search_knows_every_page_and_works_from_the_disk(site: Path, read: dict[str, Read]) -> None:
    found = json.loads((site / "search.json").read_text(encoding="utf-8"))
    assert set(PAGES) <= {urlsplit(item["location"]).path for item in found["items"]}
    assert (site / "search.js").is_file(), "a browser reads no JSON from the disk"
    for name, page in read.items():
        shims = [load for load in page.loads if load.endswith("/iframe_worker.js")]
        assert len(shims) == 1, "and starts no worker from the disk, without this script"
        assert (site / name).parent.joinpath(shims[0]).is_file() or name == "404.html"
