"""What would make a run unsafe, found before it starts."""
