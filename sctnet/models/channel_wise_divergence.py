"""Channel-wise knowledge distillation (Shu et al., ICCV 2021), SIAM's only loss.

SCTNet compares four pairs of maps with it (paper, section 3.3).
"""

from mmseg.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F

from .faster_training.divergence import summed_divergence
from .faster_training.interpolation import upsample
from .half_precision import full_precision


@MODELS.register_module()
class ChannelWiseDivergence(nn.Module):
    """Kullback-Leibler divergence between where two networks look, per channel.

    Each channel of each image becomes a distribution over its positions, by a softmax
    at ``temperature``. The divergence of the student's from the teacher's is summed
    over positions, averaged over images and channels, and multiplied by the squared
    temperature, which keeps the size of its gradient. It is 0 where both are equal.

    Args:
        temperature: above 1 softens the distributions.
    """

    def __init__(self, temperature: float = 4.0) -> None:
        super().__init__()
        self.temperature = temperature

    def forward(
        self, student: Tensor, teacher: Tensor, shortcuts: bool = True
    ) -> Tensor:
        """Return the scalar divergence of (N, C, h, w) and (N, C, H, W) maps.

        Where sizes differ both are brought to the larger height and width. Half
        precision is computed in float32: a softmax over a map needs its range. Without
        ``shortcuts`` torch differentiates it, in the teacher too.
        """
        sizes = zip(student.shape[2:], teacher.shape[2:], strict=True)
        size = [max(pair) for pair in sizes]
        student = upsample(full_precision(student), size)
        teacher = upsample(full_precision(teacher), size)
        if shortcuts:
            total = summed_divergence(student, teacher, self.temperature)
        else:
            ours, theirs = map(self._log_distribution, (student, teacher))
            total = F.kl_div(ours, theirs, reduction='sum', log_target=True)
        images, channels = student.shape[:2]
        return total * (self.temperature**2 / (images * channels))

    def _log_distribution(self, x: Tensor) -> Tensor:
        return F.log_softmax(x.flatten(2) / self.temperature, dim=2)
