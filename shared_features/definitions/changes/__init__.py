"""What differs between a definition and the one that stored data came from."""
