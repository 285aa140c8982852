"""Channel-wise divergence and its gradient in one pass.

With q and p the teacher's and the student's softmax over the positions of a channel at
temperature T, the divergence sum q (log q - log p) has the gradient (p - q) / T in the
student's map. So all that backward needs is known in the forward pass, which goes
through a few channels at a time, and nothing but that difference is kept.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

BLOCK = {'cpu': 1 << 19, 'cuda': 1 << 25}  # values of some channels, in cache on a CPU


def summed_divergence(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """Sum KL(teacher || student) over all channels of equally large maps.

    Args:
        student: (N, C, H, W), float32 or float64.
        teacher: the same; it gets no gradient.
        temperature: by which both are divided before the softmax over H and W.

    Returns:
        A scalar, differentiable once, in ``student``.
    """
    with torch.autocast(student.device.type, enabled=False):
        return _SummedDivergence.apply(student, teacher.to(student), temperature)


class _SummedDivergence(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, student: Tensor, teacher: Tensor, temperature: float
    ) -> Tensor:
        ours, theirs = (x.flatten(2).flatten(0, 1) for x in (student, teacher))
        gradient, loss = torch.empty_like(ours), student.new_zeros(())
        block = BLOCK.get(student.device.type, BLOCK['cpu'])
        step = max(1, block // ours.shape[1])
        for first in range(0, len(ours), step):
            some = slice(first, first + step)
            log_p = (ours[some] * (1 / temperature)).log_softmax(dim=1)
            log_q = (theirs[some] * (1 / temperature)).log_softmax(dim=1)
            q = log_q.exp()
            difference = log_q.sub_(log_p)
            loss += torch.dot(q.flatten(), difference.flatten())
            torch.exp(log_p, out=gradient[some]).sub_(q).mul_(1 / temperature)
        ctx.save_for_backward(gradient.view(student.shape))
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, loss: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = ctx.saved_tensors
        return gradient * loss, None, None
