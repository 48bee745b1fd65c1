"""Three dataflows, one source and one sink each: online (Redis), archive (Delta), materialize (Delta)."""
