import torch

from sctnet.benchmark.case import Case
from sctnet.benchmark.operations import count_operations
from sctnet.benchmark.training import TrainingStep


def test_what_computes_counts_and_views_and_allocations_do_not():
    x = torch.ones(4, 6, requires_grad=True)

    def call():
        y = x.view(6, 4).t().unsqueeze(0).expand(2, 4, 6)[0].split(2)[1].detach()
        torch.empty_like(y).new_empty(3)
        (x * 2).sum().backward()
        x.grad.zero_()

    # The gradient of a sum is a view, and that of a product is one more product.
    counted = {'mul': 2, 'sum': 1, 'ones_like': 1, 'zero_': 1}
    assert count_operations(call) == counted


def test_the_optimizer_and_the_casts_of_autocast_count_as_well():
    layer = torch.nn.Linear(3, 2, bias=False)
    adam = torch.optim.AdamW(layer.parameters(), fused=True)

    def call():
        with torch.autocast('cpu', torch.bfloat16):
            layer(torch.ones(1, 3)).sum().backward()
        adam.step()

    found = count_operations(call)
    assert found['_fused_adamw_'] == 1
    assert found['_to_copy'] >= 2  # the images and the weights
    assert found['mm'] >= 2  # forward and backward


def test_a_training_step_takes_few_operations():
    # What a GPU's host has to start: 1,928 before weights were cast at once.
    step = TrainingStep(Case('sctnet-t-streets', 'shortcuts+amp', 8, (128, 256)), 'cpu')
    step()
    found = count_operations(step)
    assert found['convolution'] > 90
    assert found['convolution_backward'] > 50
    assert sum(found.values()) <= 1000, found.most_common()
