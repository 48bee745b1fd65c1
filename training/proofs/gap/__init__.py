"""The as-served gap: how far what could be served lies from what had happened, by feature and by cause."""
