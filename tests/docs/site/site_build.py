"""The build of the site: docs/ as pages that need no network."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.architecture.source_tree import ROOT

_CONFIGURATION = ROOT / "zensical.toml"
_SHIM = Path(__file__).with_name("iframe_worker.js")
_SHIM_ELSEWHERE = "https://unpkg.com/iframe-worker/shim"
_FOREIGN_ADDRESS = re.compile(r"https://[\w.-]+/")


class SiteError(Exception):
    """The site could not be built. The message holds what the builder said."""


def build_site(target: Path) -> None:
    """Write the site to `target`, in place of what is there. Raises SiteError."""
    with tempfile.TemporaryDirectory(prefix="millrace-docs-") as folder:
        project = Path(folder)
        shutil.copytree(ROOT / "docs", project / "docs")
        configuration = _with_all_pages(_CONFIGURATION.read_text(encoding="utf-8"), project / "docs")
        (project / _CONFIGURATION.name).write_text(configuration, encoding="utf-8")
        command = [sys.executable, "-m", "zensical", "build", "--strict"]
        done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SiteError(done.stdout + done.stderr)
        site = project / "site"
        _ask_no_other_host(site)
        shutil.rmtree(target, ignore_errors=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(site, target)


def _with_all_pages(configuration: str, docs: Path) -> str:
    """The builder knows no patterns: `"FOLDER/*.md"` becomes the pages of the folder, by name."""

    def pages(pattern: re.Match[str]) -> str:
        return ", ".join(f'"{path.relative_to(docs).as_posix()}"' for path in sorted(docs.glob(pattern[1])))

    return re.sub(r'"([^"*]+\*\.md)"', pages, configuration)


def _ask_no_other_host(site: Path) -> None:
    """Search loads a script of ours. What the scripts themselves would load is for features that no page uses."""
    scripts = site / "assets" / "javascripts"
    for page in site.rglob("*.html"):
        ours = "../" * (len(page.relative_to(site).parts) - 1) + f"assets/javascripts/{_SHIM.name}"
        page.write_text(page.read_text(encoding="utf-8").replace(_SHIM_ELSEWHERE, ours), encoding="utf-8")
    for script in scripts.rglob("*.js"):
        script.write_text(_FOREIGN_ADDRESS.sub("about:blank#", script.read_text(encoding="utf-8")), encoding="utf-8")
    shutil.copy(_SHIM, scripts)
