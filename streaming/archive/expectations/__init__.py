"""What the archive finds of the expectations of a source: on a sample of the events that it stores, and on all."""
