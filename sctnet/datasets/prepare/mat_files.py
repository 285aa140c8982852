"""Label maps out of the .mat files in which some data sets publish them."""

import io

import numpy as np

from ...errors import DataError


def read_mat(
    data: bytes, name: str, known: np.ndarray, variable: str, field: str = ''
) -> np.ndarray:
    """Return the label map of a .mat file, integers (H, W).

    Args:
        data: what the file holds.
        name: of the file, for a message.
        known: the labels that there are.
        variable: which is the label map, or a struct with it.
        field: of the struct.

    Raises:
        DataError: the file is damaged, or has other labels.
    """
    from scipy.io import loadmat

    try:
        found = loadmat(io.BytesIO(data), variable_names=[variable])[variable]
        stored = np.asarray(found[field][0, 0] if field else found)
    except Exception as error:  # scipy has many for damaged files
        reason = f'{type(error).__name__}: {error}'
        raise DataError(
            f"'{name}' is no .mat file with a label map {variable} ({reason}): "
            'download the archive again'
        ) from error
    is_known = np.isin(stored, known)
    if stored.ndim != 2 or not is_known.all():
        raise DataError(
            f"'{name}' has labels {np.unique(stored[~is_known])[:5].tolist()} in shape "
            f'{stored.shape}: expected those of the data set; download the archive '
            'again'
        )
    return stored.astype(np.int64)
