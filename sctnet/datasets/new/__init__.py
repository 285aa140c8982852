"""From a folder or an export to a data set and two configs: ``sctnet new``."""

from .create import New, new_project, stop_at_questions

__all__ = ['New', 'new_project', 'stop_at_questions']
