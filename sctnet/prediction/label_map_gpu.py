"""The labels of upsampled logits on a GPU, by a kernel that Triton compiles.

Each program labels a tile of pixels: it walks through the classes, interpolates each
from the few low-resolution neighbours of a pixel, which stay in cache, and keeps the
best. Nothing of full size is written but the labels.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

from .resampling import Resampling

ROWS, COLUMNS = 8, 64  # the pixels of one program


def gpu_labels(
    logits: Tensor, rows: Resampling, columns: Resampling, labels: Tensor
) -> None:
    """Write the winning class of every pixel into ``labels``; the first where equal.

    Args:
        logits: (K, h, w), any float type and strides.
        rows: from h to H.
        columns: from w to W.
        labels: (H, W), of any integer type that holds K - 1, contiguous.
    """
    if logits.dtype not in (torch.float64, torch.float32):
        logits = logits.float()
    tables = [
        torch.from_numpy(table).to(logits.device)
        for axis in (rows, columns)
        for table in (axis.start, axis.weights)
    ]
    height, width = labels.shape
    grid = (triton.cdiv(height, ROWS), triton.cdiv(width, COLUMNS))
    # Triton launches on the current device, which need not be the tensor's.
    with torch.cuda.device_of(logits):
        _label_tile[grid](
            logits,
            labels,
            *tables,
            *logits.shape,
            *logits.stride(),
            height,
            width,
            row_taps=rows.weights.shape[1],
            column_taps=columns.weights.shape[1],
            tile_rows=ROWS,
            tile_columns=COLUMNS,
        )


@triton.jit
def _label_tile(
    logits,
    labels,
    row_start,
    row_weights,
    column_start,
    column_weights,
    classes,
    logit_rows,
    logit_columns,
    class_stride,
    row_stride,
    column_stride,
    height,
    width,
    row_taps: tl.constexpr,
    column_taps: tl.constexpr,
    tile_rows: tl.constexpr,
    tile_columns: tl.constexpr,
):
    y = tl.program_id(0) * tile_rows + tl.arange(0, tile_rows)
    x = tl.program_id(1) * tile_columns + tl.arange(0, tile_columns)
    first_row = tl.load(row_start + y, mask=y < height, other=0)
    first_column = tl.load(column_start + x, mask=x < width, other=0)
    dtype = logits.dtype.element_ty
    best = tl.full((tile_rows, tile_columns), float('-inf'), dtype)
    winner = tl.zeros((tile_rows, tile_columns), tl.int32)
    for k in range(classes):
        value = tl.zeros((tile_rows, tile_columns), dtype)
        for i in tl.static_range(row_taps):
            # A weight of 0 may stand for a neighbour outside: read the last instead.
            row = tl.minimum(first_row + i, logit_rows - 1)
            row_weight = tl.load(
                row_weights + y * row_taps + i, mask=y < height, other=0.0
            )
            for j in tl.static_range(column_taps):
                column = tl.minimum(first_column + j, logit_columns - 1)
                column_weight = tl.load(
                    column_weights + x * column_taps + j, mask=x < width, other=0.0
                )
                neighbour = tl.load(
                    logits
                    + k * class_stride
                    + row[:, None] * row_stride
                    + column[None, :] * column_stride
                )
                value += neighbour * row_weight[:, None] * column_weight[None, :]
        larger = value > best
        best = tl.where(larger, value, best)
        winner = tl.where(larger, k, winner)
    inside = (y < height)[:, None] & (x < width)[None, :]
    place = labels + y[:, None] * width + x[None, :]
    tl.store(place, winner.to(labels.dtype.element_ty), mask=inside)
