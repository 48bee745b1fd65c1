"""A browser for the tests: chromium without a window, or a loud line at the end that says what was not tested."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.end_to_end.brokers import NOT_TESTED

_NAMES = ("chromium", "chromium-browser", "google-chrome")


@contextmanager
def browsing() -> Iterator[Browser]:
    """Skips the test where there is no chromium."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        NOT_TESTED.append("a browser: no chromium was found. Debian: apt-get install chromium")
        pytest.skip(NOT_TESTED[-1])
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found,
            args=["--no-proxy-server", "--disable-dev-shm-usage", "--disable-gpu"],
            timeout=120_000,
        )
        try:
            yield browser
        finally:
            browser.close()
