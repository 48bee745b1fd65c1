"""Retirement: removes a version of a feature group that nobody reads any more."""
