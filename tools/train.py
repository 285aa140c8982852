"""Trains a config: what ``mim train sctnet`` and the launch scripts start."""

import sys

from sctnet.cli import main

if __name__ == '__main__':
    main(['train', *sys.argv[1:]])
