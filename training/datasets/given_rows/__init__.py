"""The columns of a table that a user brought, as steps, and what is said of a row that cannot be meant."""
