"""Traces by OpenTelemetry, where a setting asks for them: what each program needs that sends spans."""
