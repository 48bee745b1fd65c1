"""What people write for training, beside their feature views: models, each with its candidates."""

from training.definitions.early_stopping import EarlyStopping
from training.definitions.gate_limits import GateLimits
from training.definitions.model import Model
from training.definitions.search import NumberRange, OneOf, Search, WholeRange
from training.definitions.split import Split
from training.models.columns import Build, Columns
from training.models.encoders import Binned, OneHot, Ordinal, TargetMean, Winsorized

__all__ = [
    "Binned",
    "Build",
    "Columns",
    "EarlyStopping",
    "GateLimits",
    "Model",
    "NumberRange",
    "OneHot",
    "OneOf",
    "Ordinal",
    "Search",
    "Split",
    "TargetMean",
    "WholeRange",
    "Winsorized",
]
