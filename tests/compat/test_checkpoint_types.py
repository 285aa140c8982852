"""What mmengine's checkpoints hold is loaded; what could run code is refused."""

import zipfile

import numpy as np
import torch
from mmengine.logging.history_buffer import HistoryBuffer
from support import run_python


def test_checkpoint_types_of_mmengine_load_with_weights_only(tmp_path):
    history = HistoryBuffer([1.0, 2.0], [1, 1])
    history.update(3.0)
    content = {
        'message_hub': {'log_scalars': {'train/loss': history}},
        'score': np.float64(0.25),
        'array': np.arange(3, dtype=np.int64),
        'flags': np.array([True, False]),
    }
    torch.save(content, tmp_path / 'own.pth')
    loaded = torch.load(tmp_path / 'own.pth', weights_only=True)
    assert loaded['message_hub']['log_scalars']['train/loss'].mean() == 2.0
    assert loaded['score'] == 0.25
    assert loaded['array'].tolist() == [0, 1, 2]


CRAFTED = {
    # getattr may reach the statistics of a HistoryBuffer, and no code
    'method': "Call(getattr, HistoryBuffer, '__init__')",
    'class': "Call(getattr, HistoryBuffer, '__class__')",
    'other method': "Call(getattr, np.ndarray, 'tofile')",
    'other statistic': "Call(getattr, np.ndarray, 'max')",
    # bytes of the file read as object pointers
    'buffer': "Call(np.ndarray, (1,), 'O', b'ABCDEFGH')",
    'history': "Call(HistoryBuffer, Call(np.ndarray, (1,), 'O', b'ABCDEFGH'), [1])",
    'object dtype': "Call(np.dtype, 'O')",
    'fields': "Call(np.dtype, [('a', 'O')])",
    'object class': 'Call(np.dtypes.ObjectDType)',
    'void class': 'Call(np.dtypes.VoidDType, 8)',
    'object array': "np.array([{'a': 1}], dtype=object)",
    'record array': "np.zeros(2, dtype=[('a', 'f4')])",
}


def test_crafted_arrays_are_refused_not_built(tmp_path):
    """In a process of its own: what is guarded against ends it by a signal."""
    lines = [f'{name!r}: lambda: {code},' for name, code in CRAFTED.items()]
    done = run_python(f"""
        import numpy as np, torch, sctnet
        from mmengine.logging.history_buffer import HistoryBuffer
        from sctnet.weights.safe_files import read_checkpoint
        from sctnet.errors import CheckpointError

        class Call:
            def __init__(self, *words):
                self.words = words

            def __reduce__(self):
                return self.words[0], self.words[1:]

        for name, make in {{{' '.join(lines)}}}.items():
            path = {str(tmp_path / 'crafted.pth')!r}
            torch.save({{'state_dict': {{'w': make()}}}}, path)
            try:
                read_checkpoint(path)
            except CheckpointError as error:
                print('refused', name, 'carries code' in str(error))
    """)
    assert done.returncode == 0, done.stderr
    # A record array is refused as a damaged file: it names no code.
    assert done.stdout.splitlines() == [
        f'refused {name} {name != "record array"}' for name in CRAFTED
    ]


def test_loaded_arrays_are_saved_as_ordinary_ones(tmp_path):
    array = np.arange(3.0)
    torch.save({'a': array}, tmp_path / 'a.pth')
    loaded = torch.load(tmp_path / 'a.pth', weights_only=True)
    torch.save(loaded, tmp_path / 'b.pth')
    assert b'PlainArray' not in (tmp_path / 'b.pth').read_bytes()
    again = torch.load(tmp_path / 'b.pth', weights_only=True)['a']
    np.testing.assert_array_equal(again, array)


def test_paths_that_numpy_1_wrote_load_too(tmp_path):
    torch.save({'a': np.float64(0.5)}, tmp_path / 'a.pth')
    content = (tmp_path / 'a.pth').read_bytes()
    assert b'numpy._core' in content
    with zipfile.ZipFile(tmp_path / 'a.pth') as old:
        entries = {name: old.read(name) for name in old.namelist()}
    with zipfile.ZipFile(tmp_path / 'b.pth', 'w') as new:
        for name, entry in entries.items():
            new.writestr(name, entry.replace(b'numpy._core', b'numpy.core'))
    assert torch.load(tmp_path / 'b.pth', weights_only=True)['a'] == 0.5
