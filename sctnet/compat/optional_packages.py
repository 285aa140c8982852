"""Packages that not everybody needs: are they there, and what to install."""

import importlib.util

from ..errors import ArgumentError

EXTRAS = {  # of those not named as the package
    'onnx': 'onnx',
    'onnxruntime': 'onnx',
    'cityscapesscripts': 'convert',
    'pycocotools': 'convert',
    'scipy': 'convert',
}


def is_installed(package: str) -> bool:
    """Whether ``package`` can be found."""
    return importlib.util.find_spec(package) is not None


def require(package: str, instead: str = '') -> None:
    """Raise an ArgumentError if ``package`` is not installed.

    Its remedy is to install the package, or ``instead``, such as ', or wait'.
    """
    if not is_installed(package):
        extra = EXTRAS.get(package, package)
        raise ArgumentError(
            f"{package} is not installed: pip install 'sctnet[{extra}]'{instead}"
        )
