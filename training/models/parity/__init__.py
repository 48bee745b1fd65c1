"""What a certificate compares: rows on both sides of every split of a graph, and the smallest case that fails."""
