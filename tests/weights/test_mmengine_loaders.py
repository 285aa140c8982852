import http.server
import threading

import pytest
import torch
from mmengine.runner import load_checkpoint
from support import Exploit

from sctnet.errors import CheckpointError

WEIGHTS = {'layer.weight': torch.arange(6.0).reshape(2, 3), 'n': torch.tensor(3)}


def test_exploit_from_the_web_is_refused(tmp_path, monkeypatch):
    target, folder = tmp_path / 'created', tmp_path / 'served'
    folder.mkdir()
    torch.save({'state_dict': Exploit(target)}, folder / 'exploit.pth')
    torch.save({'state_dict': WEIGHTS}, folder / 'good.pth')
    monkeypatch.setenv('TORCH_HOME', str(tmp_path / 'home'))

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(folder))

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f'http://127.0.0.1:{server.server_port}'
        with pytest.raises(CheckpointError, match='carries code'):
            load_checkpoint(torch.nn.Linear(1, 1), f'{url}/exploit.pth')
        loaded = load_checkpoint(torch.nn.Linear(1, 1), f'{url}/good.pth')
        assert loaded['state_dict'].keys() == WEIGHTS.keys()
        with pytest.raises(CheckpointError, match='cannot download'):
            load_checkpoint(torch.nn.Linear(1, 1), f'{url}/missing.pth')
        server.shutdown()
    assert not target.exists()
