"""A confusion matrix of many classes as a picture."""

import io

import numpy as np


def draw_heat_map(shares: np.ndarray) -> bytes:
    """Draw a confusion matrix (K, K) of shares, 0 to 1, as PNG for any background."""
    from matplotlib.figure import Figure

    right, wrong = np.array([74, 127, 193]) / 255, np.array([230, 110, 30]) / 255
    pixels = np.empty((*shares.shape, 4))
    pixels[..., :3] = wrong
    np.einsum('iij->ij', pixels)[:, :3] = right
    pixels[..., 3] = np.sqrt(np.nan_to_num(shares))  # small shares show, too
    figure = Figure(figsize=(9, 9), layout='tight')
    axes = figure.add_subplot()
    axes.imshow(pixels, interpolation='nearest')
    ticks = np.arange(0, len(shares), 5 if len(shares) <= 60 else 10)
    axes.set_xticks(ticks)
    axes.set_yticks(ticks)
    axes.tick_params(top=True, labeltop=True, right=True, labelright=True)
    axes.grid(color='#8888', linewidth=0.4)
    axes.set_xlabel('predicted class')
    axes.set_ylabel('true class')
    grey = '#888888'
    axes.tick_params(colors=grey)
    for part in (axes.xaxis.label, axes.yaxis.label):
        part.set_color(grey)
    axes.spines[:].set_color(grey)
    buffer = io.BytesIO()
    figure.savefig(buffer, format='png', dpi=130, transparent=True)
    return buffer.getvalue()
