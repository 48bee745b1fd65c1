"""How a value is computed: time, tiles, windows, replay. Knows numbers and time, no domain."""
