"""What one entity's features are made of, in Redis and in the lake, side by side."""
