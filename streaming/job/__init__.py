"""The processes of the stream job: a supervisor starts, watches, restarts and stops them."""
