"""Unpacking published archives (Cityscapes, ADE20K, ...) for the configs."""
