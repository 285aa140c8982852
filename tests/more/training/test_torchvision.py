"""A torchvision built for CUDA beside a torch for the CPU, as PyPI has them."""

from support import run_python

from sctnet.compat.gaps import declare_torchvision_ops


def test_torchvision_for_cuda_imports_beside_a_torch_for_the_cpu():
    done = run_python("""
        import sctnet, torch
        from torchvision.ops import nms
        import mmpretrain.datasets
        try:
            nms(torch.zeros(1, 4), torch.zeros(1), 0.5)
        except (NotImplementedError, RuntimeError) as error:
            print('called:', type(error).__name__)
    """)
    assert done.returncode == 0, done.stderr
    assert 'called:' in done.stdout or not declare_torchvision_ops()
