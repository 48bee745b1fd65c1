"""The leak gate: each feature is computed again with less of the future, and its value must stay."""
