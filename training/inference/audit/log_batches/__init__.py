"""The prediction log as columns: many records at once, of which hardly any becomes an object."""
