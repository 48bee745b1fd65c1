"""Expectations: what values and numbers of rows should be, of a dataset and of the events of a source."""
