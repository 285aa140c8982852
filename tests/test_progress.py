"""The bar shows how much of the work is done."""

from sctnet.cli.progress import progress_bar


def test_the_bar_ends_at_what_was_told_last(capsys):
    with progress_bar('Converting') as advance:
        for done in (1, 2, 3):
            advance(done, 4)
    shown = capsys.readouterr().out
    assert 'Converting' in shown
    assert '75%' in shown
