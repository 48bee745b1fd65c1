"""The small domain, whose payments are written in another format than JSON."""
