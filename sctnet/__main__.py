"""``python -m sctnet`` is the command ``sctnet``."""

from .cli import main

if __name__ == '__main__':
    main()
