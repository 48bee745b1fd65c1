"""The model registry: versions, the aliases that name them, and the gate in front of an alias."""
