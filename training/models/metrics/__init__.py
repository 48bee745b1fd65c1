"""How good a model is: figures and curves over rows that it has not seen."""
