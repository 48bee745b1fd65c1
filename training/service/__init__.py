"""The service: what `python -m training serve` answers over HTTP, to programs and to people."""
