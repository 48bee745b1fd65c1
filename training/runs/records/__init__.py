"""The records of a run: its folder, the logs of its steps, its report, its summary, its archive."""
