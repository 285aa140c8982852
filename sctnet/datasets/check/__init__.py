"""Reads every pair of a config's data sets, and says what would go wrong."""

from .checker import CheckResult, check_config
from .faults import Fault
from .quick import quick_check

__all__ = ['CheckResult', 'Fault', 'check_config', 'quick_check']
