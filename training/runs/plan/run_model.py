"""The model of a run: a definition in the module `models` beside the definitions; without one, that of its view."""

from __future__ import annotations

import importlib.util

from shared_features.arguments import did_you_mean
from shared_features.definitions import Catalogue, FeatureView, load_definitions
from shared_features.definitions.catalogue.definitions_module import import_definitions
from shared_features.errors import DefinitionError
from training.definitions.model import Model
from training.errors import RequestError
from training.runs.plan.run_pipeline import module_beside
from training.settings import TrainingSettings


def defined_models(settings: TrainingSettings, catalogue: Catalogue | None = None) -> tuple[Model, ...]:
    """All of the module, each with its view; none where there is no module. Raises DefinitionError."""
    module = settings.models or module_beside(settings.definitions, "models")
    if not _exists(module):
        if settings.models:
            raise DefinitionError(
                f"MILLRACE_MODELS is {module!r}, and there is no such module; name a module on the Python path, or "
                "leave it out"
            )
        return ()
    given = {id(each): each for each in vars(import_definitions(module)).values() if isinstance(each, Model)}
    names = [each.name for each in given.values()]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise DefinitionError(f"module {module} has two models {twice[0]!r}; rename one")
    views = (load_definitions(settings.definitions) if catalogue is None else catalogue).views
    return tuple(each.on(_view_of(each, views, settings.definitions)) for each in given.values())


def choose_model(
    settings: TrainingSettings, name: str | None = None, view: str | None = None
) -> tuple[FeatureView, Model | None]:
    """What a run is of; no model where none is defined for its view. Raises RequestError where it cannot be told."""
    catalogue = load_definitions(settings.definitions)
    models = defined_models(settings, catalogue)
    names = [each.name for each in models]
    if name is not None:
        if name not in names:
            raise RequestError(
                f"There is no model {name!r}. There are: {', '.join(names) or 'none'}.{did_you_mean(name, names)}",
                "$.parameters.model",
            )
        model = models[names.index(name)]
        if view is not None and view != model.trained_on.name:
            raise RequestError(
                f"Model {name!r} is of view {model.trained_on.name!r}, and view {view!r} is asked for. Leave one of "
                "them out.",
                "$.parameters.view",
            )
        return model.trained_on, model
    found = catalogue.view(view) if view is not None else _only_view(catalogue, settings.definitions)
    return found, _model_of(found, models)


def _only_view(catalogue: Catalogue, definitions: str) -> FeatureView:
    names = sorted({each.name for each in catalogue.views})
    if len(names) != 1:
        raise RequestError(
            f"definitions {definitions!r} hold the views {names}; choose one by --view", "$.parameters.view"
        )
    return catalogue.view(names[0])


def _model_of(view: FeatureView, models: tuple[Model, ...]) -> Model | None:
    """The one that is defined for a view, or of several the one that is called like it."""
    theirs = [each for each in models if each.trained_on == view]
    if len(theirs) <= 1:
        return theirs[0] if theirs else None
    if named := [each for each in theirs if each.name == view.name]:
        return named[0]
    names = ", ".join(each.name for each in theirs)
    found = f"View {view.label} has the models {names}. Choose one by --model NAME, or by model='NAME' in Python."
    raise RequestError(found, "$.parameters.model")


def _view_of(model: Model, views: tuple[FeatureView, ...], definitions: str) -> FeatureView:
    if isinstance(model.view, FeatureView):
        if model.view in views:
            return model.view
        wanted = model.view.label
    else:
        wanted = model.view
        if named := [each for each in views if each.name == wanted]:
            return max(named, key=lambda each: each.version)
    known = [each.label if isinstance(model.view, FeatureView) else each.name for each in views]
    raise DefinitionError(
        f"model {model.name!r} is of view {wanted!r}, which definitions {definitions} do not have. There are: "
        f"{', '.join(dict.fromkeys(known))}.{did_you_mean(wanted, known)}"
    )


def _exists(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # of a package above it
        return False
