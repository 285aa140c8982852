"""Packages that not everybody needs: are they there, and what to install."""

import importlib.util

from ..errors import ArgumentError

EXTRAS = {'onnx': 'onnx', 'onnxruntime': 'onnx'}  # of those not named as the package


def is_installed(package: str) -> bool:
    """Whether ``package`` can be found."""
    return importlib.util.find_spec(package) is not None


def require(package: str) -> None:
    """Raise an ArgumentError with the remedy if ``package`` is not installed."""
    if not is_installed(package):
        extra = EXTRAS.get(package, package)
        raise ArgumentError(
            f"{package} is not installed: pip install 'sctnet[{extra}]', or take "
            'another backend'
        )
