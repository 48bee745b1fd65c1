"""What settings of all programs have in common: their names, and what they name."""
