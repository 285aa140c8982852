import errno

import pytest

from sctnet.cli.library_errors import explain, explain_run
from sctnet.errors import DataError, OutputError, ProcessError

KILLED = (
    'DataLoader worker (pid 123) is killed by signal: Killed. Details are lost due to '
    'multiprocessing.'
)


@pytest.mark.parametrize(
    ('error', 'kind', 'words'),
    [
        (RuntimeError(KILLED), ProcessError, r'\(process 123\).*killed by signal'),
        (
            RuntimeError('DataLoader worker (pid(s) 7, 8) exited unexpectedly'),
            ProcessError,
            r'\(process 7, 8\) is gone \(exited unexpectedly\)',
        ),
        (
            RuntimeError('[x/gloo/pair.cc:5] Connection closed by peer [::1]:3'),
            ProcessError,
            r'another process.*\(Connection closed by peer\)',
        ),
        (OSError(errno.ENOSPC, 'full', 'a.json'), OutputError, "'a.json' \\(full\\)"),
        (OSError(errno.EROFS, 'read only'), OutputError, 'a file'),
    ],
)
def test_what_hits_a_run_from_outside_gets_a_sentence(error, kind, words):
    with pytest.raises(kind, match=words) as raised, explain_run():
        raise error
    assert raised.value.__cause__ is error


@pytest.mark.parametrize(
    'error',
    [ValueError('x'), RuntimeError('shapes differ'), OSError(errno.ENOENT, 'no file')],
)
def test_other_errors_of_a_run_stay_what_they_are(error):
    assert explain(error) is None
    with pytest.raises(type(error)) as raised, explain_run():
        raise error
    assert raised.value is error


def test_an_error_of_a_loaders_worker_loses_its_traceback():
    text = 'Caught DataError in DataLoader worker process 0.\nOriginal Traceback:\n'
    with pytest.raises(DataError, match=r'^the file: is bad$'), explain_run():
        raise DataError(f'{text}  File x\nsctnet.errors.DataError: the file: is bad\n')
