"""Dead letters by hand: list them, look at one, and send those that were mended to their topic again, each once."""
