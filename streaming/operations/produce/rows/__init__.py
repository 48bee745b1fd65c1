"""The rows of a file, and the records that they become."""
