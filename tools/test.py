"""Tests a config: what ``mim test sctnet`` and the launch scripts start."""

import sys

from sctnet.cli import main

if __name__ == '__main__':
    main(['test', *sys.argv[1:]])
