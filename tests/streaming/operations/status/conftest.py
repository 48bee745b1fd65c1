"""Stores of the test's own, written by hand."""

from tests.streaming.operations.written_stores import servers, settings

__all__ = ["servers", "settings"]
