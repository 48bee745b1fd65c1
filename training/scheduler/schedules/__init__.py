"""Schedules: when a run begins by itself, and how a moment that was missed counts."""
