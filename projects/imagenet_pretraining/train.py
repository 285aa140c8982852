"""Pre-train SCTNet's backbone as an image classifier."""

import argparse
from pathlib import Path

from sctnet.cli.arguments import add_training_arguments
from sctnet.cli.print_errors import run_command
from sctnet.engine import launch
from sctnet.engine.runner import Runner
from sctnet.errors import SCTNetError

CONFIGS = Path(__file__).resolve().parent / 'configs'


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_training_arguments(parser)
    parser.add_argument(
        '--epochs',
        type=float,
        help='length of the training, whatever the data, GPUs and batch '
        "(default: the config's iterations)",
    )
    args = parser.parse_args()
    own = CONFIGS / f'{args.config.removesuffix(".py")}.py'
    if own.is_file():
        args.config = str(own)
    return args


def main() -> None:
    """Look at the data, build the Runner and train."""
    args = parse_args()
    try:
        from sctnet_pretraining.folders import check_folders, set_epochs
    except ImportError as error:
        raise SCTNetError(
            f'mmpretrain cannot be imported ({error}): pip install '
            '"sctnet[pretraining]", with the torchvision that matches your torch'
        ) from error

    cfg = launch.prepare_config(
        *(args.config, args.work_dir, args.data_root, args.cfg_options),
        *(args.launcher, args.local_rank),
    )
    launch.set_resume(cfg, args.resume)
    if args.amp:
        launch.enable_amp(cfg)
        if cfg.optim_wrapper.type == 'BFloat16OptimWrapper':
            # It is registered with mmseg, and the scope is mmpretrain's.
            cfg.optim_wrapper.type = 'mmseg.BFloat16OptimWrapper'
    images = check_folders(cfg)
    if args.epochs is not None:
        set_epochs(cfg, args.epochs, images)
    Runner.from_cfg(cfg).train()


if __name__ == '__main__':
    run_command(main)
