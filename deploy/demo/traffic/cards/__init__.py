"""Card payments: who pays where, how payments and their labels look, and what is wrong with some of them."""
