"""What an on-demand function means: its inputs, its source, and all that it reads besides."""
