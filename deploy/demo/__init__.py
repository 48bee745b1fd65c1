"""The demo: card traffic through every program of Millrace. `traffic` sends it, `stage` runs, `report` sums up."""
