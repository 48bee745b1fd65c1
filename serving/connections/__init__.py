"""The connections of clients: their bounds, and how they end."""
