"""The kernel is compiled once, by one process at a time, and what it waits for is said."""
