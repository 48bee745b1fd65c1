"""What crosses a wall between two services: pure, one file per wall, each with its schema version."""
