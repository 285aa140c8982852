"""A training with the faster loader is the training without it."""

import torch
from small_training import small_config, train

from sctnet.datasets.prepare.prepare_store import plan_store, write_store

OPTIONS = {'model.siam': None, 'custom_hooks': [], 'train_dataloader.num_workers': 1}
OPTIONS['train_dataloader.persistent_workers'] = True
STORE = {'faster_loader.store': 'kept', 'faster_loader.parts': ['train', 'val']}


def test_the_store_trains_bit_for_bit_and_the_crop_nearly(
    streets, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    plan = plan_store(small_config(streets, 'x'), tmp_path / 'kept', ('train', 'val'))
    assert write_store(plan).written == 4
    runs = []
    for more in ({}, STORE, {**STORE, 'faster_loader.crop_first': True}):
        options = {**OPTIONS, **more}
        cfg = small_config(streets, f'run{len(runs)}', options=options)
        runs.append(train(cfg))
    plain, stored, cropped = runs
    assert plain.losses == stored.losses != cropped.losses
    for name, weight in plain.weights[-1].items():
        assert torch.equal(weight, stored.weights[-1][name]), name
    scores = [run.runner.message_hub.get_scalar('val/mIoU').current() for run in runs]
    assert scores[0] == scores[1]
    for one, other in zip(plain.losses, cropped.losses, strict=True):
        assert abs(one['loss'] - other['loss']) < 0.02 * one['loss']
