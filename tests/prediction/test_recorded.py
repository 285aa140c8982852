import copy
import pickle

import torch

from sctnet.prediction.recorded import Recorded


def test_it_pays_for_sizes_that_come_often_while_there_is_room():
    recorded = Recorded(kept=2)
    small, large, other = (torch.zeros(2, size) for size in (3, 4, 5))
    assert [recorded.pays(small) for _ in range(3)] == [False, False, True]
    recorded._graphs = {(small.shape, small.dtype, small.device): None}
    assert [recorded.pays(large) for _ in range(3)] == [False, False, True]
    assert not recorded.pays(large.double())
    recorded._graphs |= {(large.shape, large.dtype, large.device): None}
    assert not any(recorded.pays(other) for _ in range(5))
    assert recorded.pays(small)
    assert recorded.pays(large)
    assert copy.deepcopy(recorded)._graphs == {}
    assert pickle.loads(pickle.dumps(recorded)).kept == 2
