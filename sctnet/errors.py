"""Errors that a user can mend: one sentence each, with the remedy in it."""

import errno
import re

# What torch, cuBLAS, cuDNN, OpenCV and, through a loader's worker, numpy say.
_FULL = re.compile(
    'out of memory|can.t allocate memory|not enough memory|insufficient memory|'
    'ALLOC_FAILED|Caught \\w*MemoryError',
    re.IGNORECASE,
)


class SCTNetError(Exception):
    """Base of every error that names what is wrong, what was expected, the remedy.

    The tools print these as one line and exit with status 2; Python callers can
    catch this class, or the built-in that each subclass also is.
    """


class CheckpointError(SCTNetError, RuntimeError):
    """A weight file that is missing, damaged, unsafe or made for another model."""


class ConfigError(SCTNetError, ValueError):
    """A config that does not exist or cannot be used."""


class ArgumentError(SCTNetError, ValueError):
    """An argument out of its range."""


class ImageError(SCTNetError, ValueError):
    """An image that cannot be read or is too small.

    Args:
        message: the sentence.
        problem: in a few words, without the file's name, what is wrong with it.
    """

    def __init__(self, message: str, problem: str = '') -> None:
        super().__init__(message)
        self.problem = problem or message


class DataError(SCTNetError, ValueError):
    """A data set without what its config says: files, or labels within its classes."""


class OutputError(SCTNetError, OSError):
    """A place where results cannot be written."""


class TrainingError(SCTNetError, ArithmeticError):
    """A training that cannot go on."""


class OutOfMemoryError(SCTNetError, MemoryError):
    """A GPU, or the machine, whose memory does not suffice for what was asked."""


class ProcessError(SCTNetError, RuntimeError):
    """A process of a run, or a worker of its data loader, that is gone."""


class PackageError(SCTNetError, ImportError):
    """A package that is needed and is not installed, or not in a fitting version."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether ``error`` says that memory is full: python's, numpy's, torch's, CUDA's.

    torch has a class of its own for a GPU, and a plain RuntimeError for a CPU.
    """
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if kinds & {'MemoryError', 'OutOfMemoryError'}:
        return True
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    return kinds & {'RuntimeError', 'error'} != set() and bool(_FULL.search(str(error)))


class BrokenFileError(DataError):
    """A file of a data set that cannot be read, which a training may leave out.

    Args:
        message: the sentence.
        path: of the file.
        fault: what is wrong with it, in a few words.
    """

    def __init__(self, message: str, path: str = '', fault: str = '') -> None:
        super().__init__(message)  # a loader's worker sends the message alone
        self.path, self.fault = path, fault

    @classmethod
    def of(cls, path: str, fault: str) -> 'BrokenFileError':
        """Return the error for a file and its fault."""
        message = (
            f"'{path}' is broken ({fault}): put it there again, or take it out of the "
            'data set'
        )
        return cls(message, path, fault)
