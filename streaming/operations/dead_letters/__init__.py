"""Dead letters by hand: list them, show one, and send mended letters to their topic again, each once."""
