"""Faults over a real stream job, drawn from seeds; when they end, every bit must be right. `./run chaos`."""
