"""What a test or a training tells: its report, its curves, the check of its data."""

from .report_metric import ReportMetric

__all__ = ['ReportMetric']
