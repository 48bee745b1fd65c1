"""What a feature is: definitions, the kernel that computes them, and the formats that carry them. Pure."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared_features.definitions import (
        Aggregate,
        Boolean,
        Catalogue,
        Category,
        Condition,
        Copies,
        Decimal,
        Entity,
        EventSource,
        Expect,
        Feature,
        FeatureGroup,
        FeatureView,
        Field,
        GrownGroup,
        Integer,
        LabelSource,
        LaterEvents,
        Newest,
        Rows,
        Text,
        Timestamp,
        Window,
        load_definitions,
    )
    from shared_features.errors import DefinitionError, FeatureError, MillraceError
    from shared_features.kernel.aggregations import (
        ApproxDistinct,
        Count,
        First,
        Last,
        Max,
        Mean,
        Min,
        Std,
        Sum,
        TimeSinceLast,
    )
    from shared_features.kernel.event_time import days, hours, minutes, seconds
    from shared_features.kernel.texts import Texts
else:
    from shared_features.lazy_names import lazy_names

    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "shared_features.definitions": (
                "Aggregate Boolean Catalogue Category Condition Copies Decimal Entity EventSource Expect Feature "
                "FeatureGroup FeatureView Field GrownGroup Integer LabelSource LaterEvents Newest Rows "
                "Text Timestamp Window load_definitions"
            ),
            "shared_features.errors": "DefinitionError FeatureError MillraceError",
            "shared_features.kernel.aggregations": (
                "ApproxDistinct Count First Last Max Mean Min Std Sum TimeSinceLast"
            ),
            "shared_features.kernel.event_time": "days hours minutes seconds",
            "shared_features.kernel.texts": "Texts",
        },
    )

__all__ = [
    "Aggregate",
    "ApproxDistinct",
    "Boolean",
    "Catalogue",
    "Category",
    "Condition",
    "Copies",
    "Count",
    "Decimal",
    "DefinitionError",
    "Entity",
    "EventSource",
    "Expect",
    "Feature",
    "FeatureError",
    "FeatureGroup",
    "FeatureView",
    "Field",
    "First",
    "GrownGroup",
    "Integer",
    "LabelSource",
    "Last",
    "LaterEvents",
    "Max",
    "Mean",
    "MillraceError",
    "Min",
    "Newest",
    "Rows",
    "Std",
    "Sum",
    "Text",
    "Texts",
    "TimeSinceLast",
    "Timestamp",
    "Window",
    "days",
    "hours",
    "load_definitions",
    "minutes",
    "seconds",
]
