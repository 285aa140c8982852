"""The command ``sctnet``: one module a command."""
