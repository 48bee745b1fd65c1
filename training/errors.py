"""What can go wrong in a training run, as a tree.

FeatureError              of shared_features, a MillraceError
  TrainingError           the root of those of this package
    DatasetError          the offline store cannot give the training dataset that was asked for
      NotStoredError      the lake has no such table, or no complete row of it yet
    CertificateError      what was exported does not compute what was fitted
    GraphNotReadError     a graph has what is not compiled, so ONNX Runtime runs it
    LeakError             a feature changes with what nobody could know at its instant
    RegistryError         a model version or an alias that is missing
      OvertakenError      another process changed the registry meanwhile
    StepError             a step cannot read what it needs or write what it made, or is one of a pipeline that fails
    StepFailedError       a step of a durable run failed in its own process
      TransientStepError  the same, but another try may help
    RequestError          a run or a schedule was asked for that cannot be
      UnknownNameError    there is no run or schedule of that name
      ConflictError       the run is not in a state in which that can be done

A message names the thing, what was found, and what to do.
"""

from shared_features.errors import FeatureError


class TrainingError(FeatureError):
    """Anything a training run refuses; catch it to catch all of the below."""


class DatasetError(TrainingError):
    """Tables are missing, incomplete or disagree, or the windows hold too little to learn from."""


class NotStoredError(DatasetError):
    """The lake has no such table, or no complete row of it yet. Nothing that is stored contradicts what was asked."""


class CertificateError(TrainingError):
    """Parity between fitted and exported, or between scalars and arrays, is worse than the tolerance."""


class GraphNotReadError(TrainingError):
    """Batch prediction catches it. The text is the part of a sentence that stands behind "because"."""


class LeakError(TrainingError):
    """A feature changes with later events, labels that were not known yet, the clock, a file, or what came before."""


class RegistryError(TrainingError):
    """The registry has no such model, version or alias."""


class OvertakenError(RegistryError):
    """Another process changed what this one had read of the registry. Nothing is written; it is read again."""


class StepError(TrainingError):
    """The disk is full or read-only, a result is gone or damaged, or a step of a pipeline fails."""


class StepFailedError(TrainingError):
    """A step failed in its process; the text is that of its error."""


class TransientStepError(StepFailedError):
    """It failed for a reason that may have gone: a connection, a time limit, a process that was killed."""


class RequestError(TrainingError):
    """The template, a parameter, the cron line or the time zone is wrong.

    path: where it is wrong in the body of a request, such as `$.parameters.top`.
    """

    def __init__(self, message: str, path: str = "$") -> None:
        super().__init__(message)
        self.path = path


class UnknownNameError(RequestError):
    """There is no run or schedule of that name."""


class ConflictError(RequestError):
    """The run is not in a state in which that can be done, or the name is taken by another one."""
