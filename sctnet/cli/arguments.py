"""The arguments that several commands share, in mmseg's spelling."""

import argparse
from typing import Any


class OptionAction(argparse.Action):
    """mmengine's KEY=VALUE options, with its parse errors said in one line."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Parse the options or end with the parser's error."""
        from mmengine.config import DictAction  # imports torch

        try:
            read = DictAction(self.option_strings, self.dest)
            read(parser, namespace, values, option_string)
        except (ValueError, AssertionError, RecursionError):
            parser.error(
                f"cannot read '{' '.join(values)}': expected KEY=VALUE ..., such as "
                'train_dataloader.batch_size=4'
            )


def add_cfg_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--cfg-options``, which changes a config by dotted keys."""
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=OptionAction,
        default={},
        metavar='KEY=VALUE',
        help='change the config, e.g. train_dataloader.batch_size=4',
    )


def add_labels(parser: argparse.ArgumentParser) -> None:
    """Add ``--labels``: what the label maps that are written hold."""
    from ..datasets.label_values import WRITTEN

    said = ', '.join(f'{name}: {what}' for name, what in WRITTEN.items())
    parser.add_argument(
        '--labels', choices=WRITTEN, help=f'what label maps hold; {said} (index)'
    )


def add_training_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that every kind of training has."""
    add_run_arguments(parser)
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help="go on from CHECKPOINT, or from the work folder's newest",
    )
    parser.add_argument('--amp', action='store_true', help='mixed precision')


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that training and testing share."""
    parser.add_argument('config', help='path, leaf name or short name of a config')
    parser.add_argument('--work-dir', help='folder for logs and checkpoints')
    parser.add_argument(
        '--data-root', help='folder of the data set, for all three loaders'
    )
    add_cfg_options(parser)
    parser.add_argument(
        '--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none'
    )
    # torch.distributed.launch passes one spelling or the other by its version.
    parser.add_argument('--local-rank', '--local_rank', type=int, default=0)
