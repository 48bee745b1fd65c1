"""The scheduler: durable runs, and when they begin. Everything here needs DBOS, and nothing below does."""
