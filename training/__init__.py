"""Training: from the offline store to a certified model in the registry."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from training.notebook.project import Project
else:
    from shared_features.lazy_names import lazy_names

    __getattr__, __dir__ = lazy_names(__name__, {"training.notebook.project": "Project"})

__all__ = ["Project"]
