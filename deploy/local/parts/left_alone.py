"""Models that `up` does not train: those that the gate has judged, and those that no run has trained."""

from __future__ import annotations

from training.registry.registry_log import BY_RUN
from training.registry.versions import Registry


def why_left_alone(registry: Registry, model: str) -> str:
    """What there is to say of a model without a champion; empty where a run may train it.

    A run that ended between the publication and the gate left a version of which nothing is decided.
    """
    versions = registry.versions(model)
    if not versions:
        return ""
    changes, newest = registry.log.changes(model), versions[-1]
    asked = [each.why for each in changes if each.action == "gate" and each.version == newest]
    published = {each.version: each.why for each in changes if each.action == "publish"}
    promote = f"`millrace promote {newest} --model {model}` lets it answer"
    if asked:
        return (
            f"the gate decided of {model} version {newest}: {asked[-1]}. See `millrace registry log {model}`. {promote}"
        )
    if any(why.startswith(BY_RUN) for why in published.values()):
        return ""
    return f"no run has trained {model}, whose version {newest} was published ({published.get(newest)}). {promote}"
