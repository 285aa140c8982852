"""What a test tells beyond three numbers: confusions, worst images, a report."""

from .report_metric import ReportMetric

__all__ = ['ReportMetric']
