"""The error tree: what a user can mend, each class with the exit code of the command that meets it.

EdgeError                   1
├── UsageError              2   malformed command line, setting or template
├── SourceError             3   a camera, a file, input data
│   └── ShapeError          3   an array that is not of the documented shape or type
├── ModelError              4   a model, its manifest, a run folder
│   └── RuntimeMissingError 4   no TFLite runtime, or one that does not load
├── JobError                5   a job folder that is locked or broken
├── SinkError               6   where results go
└── GateError              20   a measured figure is below its gate

A message names the place, the cause and the remedy: `camera 0: no frame in 5 s; is another program using it?`
"""


class EdgeError(Exception):
    """Anything a user can be told in one line; `exit_code` is what the command ends with."""

    exit_code = 1


class UsageError(EdgeError):
    """A malformed command line, setting or template."""

    exit_code = 2


class SourceError(EdgeError):
    """A camera, file or data set that gives nothing usable."""

    exit_code = 3


class ShapeError(SourceError):
    """An array that is not of the documented shape or type."""


class ModelError(EdgeError):
    """A model, manifest or run folder that cannot be used as it is."""

    exit_code = 4


class RuntimeMissingError(ModelError):
    """No TFLite runtime is installed, or the one named does not load."""


class JobError(EdgeError):
    """A job folder that another run holds, or whose ledger cannot be used."""

    exit_code = 5


class SinkError(EdgeError):
    """A place for results that cannot be written."""

    exit_code = 6


class GateError(EdgeError):
    """A measured figure is below the gate that was set for it."""

    exit_code = 20
