"""The commands of `python -m training` that need a database of runs."""
