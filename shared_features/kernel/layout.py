"""Layout: which columns a group has and which features it keeps of them; all the kernel knows of a group."""

from dataclasses import dataclass
from functools import cached_property

from shared_features.errors import DefinitionError
from shared_features.kernel.feature_spec import Column, FeatureSpec
from shared_features.kernel.layout_tables import LayoutTables, layout_tables


@dataclass(frozen=True)
class Layout:
    """The columns and features of a group, and how long its newest events stay single.

    Hops must divide one another, the smallest first, so that a fine tile lies inside one coarse tile. `head_us`: the
    events of an entity that are not older than this before its newest one are kept one by one; the tiles hold the rest.
    """

    columns: tuple[Column, ...]
    features: tuple[FeatureSpec, ...]
    head_us: int

    def __post_init__(self) -> None:
        if not self.features:
            raise DefinitionError("a layout has no features; give at least one")
        if self.head_us < 0:
            raise DefinitionError(f"head_us is {self.head_us}; it cannot be negative")
        for feature in self.features:
            if feature.column is not None and not 0 <= feature.column < len(self.columns):
                raise DefinitionError(f"feature {feature.name!r} is of column {feature.column}; there is no such one")
        for fine, coarse in zip(self.hops_us, self.hops_us[1:], strict=False):
            if coarse % fine:
                raise DefinitionError(f"hop {fine} us does not divide hop {coarse} us; choose nested hops")

    def __hash__(self) -> int:
        return self._hash  # asked for on every call that looks up what was worked out for a layout

    @cached_property
    def _hash(self) -> int:
        return hash((self.columns, self.features, self.head_us))

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        # Texts hash differently in another process: nothing that was worked out here may go along.
        return Layout, (self.columns, self.features, self.head_us)

    @cached_property
    def hops_us(self) -> tuple[int, ...]:
        """The distinct hops, smallest first."""
        return tuple(sorted({feature.hop_us for feature in self.features}))

    @cached_property
    def keeps_us(self) -> tuple[int, ...]:
        """Per hop: how long before the newest event it may still be needed at this or a finer hop.

        A read at `as_of >= newest - head` starts at `floor(as_of - length, hop)`, which is later than
        `newest - head - length - hop`.
        """
        return tuple(
            max(feature.length_us + feature.hop_us for feature in self.features if feature.hop_us <= hop) + self.head_us
            for hop in self.hops_us
        )

    @cached_property
    def tables(self) -> LayoutTables:
        """The same as arrays, for the compiled loops."""
        return layout_tables(self.columns, self.features, self.hops_us, self.keeps_us, self.head_us)
