"""The gate: what a version is asked before it becomes champion, and what was found."""
