"""The plan of a run: what it is asked for, its model and pipeline, the version of the data, and its steps."""
