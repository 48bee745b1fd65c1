"""The entities whose states are kept from rows to rows: numbered, with their keys."""

from __future__ import annotations

import polars as pl

from shared_features.formats.entity_keys import EntityKeys
from training.inference.audit.replay.shard_lives import Int64

_KEY, _NUMBER, _ASKED_US = "the key", "the number", "asked, us"


class CarriedEntities:
    """One that is asked for again has the number that it had. In the order in which they were last asked for."""

    def __init__(self) -> None:
        self._known: pl.DataFrame | None = None
        self._unused = 0

    def ask(self, keys: pl.Series, key_columns: pl.DataFrame, latest_us: int) -> Int64:
        """Add the entities of rows. Returns the number of each row.

        keys: of each row, and the same as the columns of a table. latest_us: as of when the last row is.
        """
        rows = key_columns.with_columns(pl.Series(_KEY, keys), pl.lit(latest_us).alias(_ASKED_US))
        asked = rows.unique(subset=_KEY, maintain_order=True)
        if self._known is None:
            self._known = asked.clear().with_columns(pl.Series(_NUMBER, [], pl.Int64))
        idle = self._known.join(asked, on=_KEY, how="anti", maintain_order="left")
        again = self._known.join(asked, on=_KEY, how="semi", maintain_order="left")
        new = asked.join(self._known, on=_KEY, how="anti", maintain_order="left")
        numbers = pl.int_range(self._unused, self._unused + len(new), dtype=pl.Int64, eager=True).alias(_NUMBER)
        self._unused += len(new)
        self._known = pl.concat(
            [idle, again.with_columns(pl.lit(latest_us).alias(_ASKED_US)), new.with_columns(numbers)]
        )
        return self.numbers(keys)

    def keep(self, numbers: Int64) -> None:
        """Those alone."""
        if self._known is not None:
            self._known = self._known.filter(pl.col(_NUMBER).is_in(pl.Series(numbers, dtype=pl.Int64).implode()))

    def asked_since(self, since_us: int) -> Int64:
        """The number of each that was asked for then or later."""
        return self._table.filter(pl.col(_ASKED_US) >= since_us)[_NUMBER].to_numpy()

    @property
    def oldest_us(self) -> int | None:
        """When the first was last asked for; None where there is none."""
        return None if self._known is None or self._known.is_empty() else int(self._known[_ASKED_US][0])

    @property
    def nbytes(self) -> int:
        return 0 if self._known is None else int(self._known.estimated_size())

    @property
    def all(self) -> Int64:
        """The number of each entity."""
        return self._table[_NUMBER].to_numpy()

    @property
    def key_columns(self) -> pl.DataFrame:
        """Of each entity, in the order of `all`."""
        return self._table.drop(_KEY, _NUMBER, _ASKED_US)

    def numbers(self, keys: EntityKeys | pl.Series) -> Int64:
        """int64[n]; -1 for an entity that is not carried."""
        given = pl.DataFrame({_KEY: pl.Series(keys, dtype=self._table.schema[_KEY])})
        found = given.join(self._table.select(_KEY, _NUMBER), on=_KEY, how="left", maintain_order="left")
        return found[_NUMBER].fill_null(-1).to_numpy()

    @property
    def _table(self) -> pl.DataFrame:
        if self._known is None:
            raise RuntimeError("no rows were asked for yet")
        return self._known
