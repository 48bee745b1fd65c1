"""The replay of stored events: states in the order of effect, and snapshots of these states."""
