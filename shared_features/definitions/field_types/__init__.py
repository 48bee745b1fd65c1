"""Field types: what the values of a field are. Each type is one class in one file, which answers for the type."""

from shared_features.definitions.field_types.boolean import Boolean
from shared_features.definitions.field_types.decimal_number import Decimal
from shared_features.definitions.field_types.field_type import MAX_MAGNITUDE, FieldType, Storage
from shared_features.definitions.field_types.integer import Integer
from shared_features.definitions.field_types.text import Text
from shared_features.definitions.field_types.timestamp import Timestamp

__all__ = ["MAX_MAGNITUDE", "Boolean", "Decimal", "FieldType", "Integer", "Storage", "Text", "Timestamp"]
