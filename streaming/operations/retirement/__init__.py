"""A version of a feature group that nobody reads any more goes."""
