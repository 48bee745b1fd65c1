"""The stream job as processes: what a supervisor starts, watches, restarts and stops."""
