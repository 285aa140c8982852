"""Gaps of the stack below, closed: mmengine, mmcv, mmseg, torch, optional packages."""
