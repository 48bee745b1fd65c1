"""A count with its noun, as people write it: 1 row, 2 rows, 10,000 rows."""


def counted(count: int, noun: str, nouns: str = "") -> str:
    """As in "1 decimal", "2,000 decimals". nouns: of several, where it is not the noun with an s.

    >>> counted(1, "entity", "entities"), counted(1_000, "row")
    ('1 entity', '1,000 rows')
    """
    return f"{count:,} {noun if count == 1 else nouns or f'{noun}s'}"
