"""Traces of requests, by OpenTelemetry, where a setting asks for them: the stages of an answer, and who wants them."""
