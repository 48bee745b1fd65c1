"""What people write for training, beside their feature views: models, each with its candidates."""

from training.definitions.model import Model
from training.definitions.split import Split
from training.models.columns import Build, Columns

__all__ = ["Build", "Columns", "Model", "Split"]
