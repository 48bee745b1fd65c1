"""Checks that find what makes a run unsafe, before the run starts."""
