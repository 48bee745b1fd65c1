"""What the values and the name of a column say of it."""
