"""The demo: generated card traffic through every stage. `card_traffic` makes the events, `load` sends them."""
