"""News of runs, models and schedules: found in what is stored, and sent to an address."""
