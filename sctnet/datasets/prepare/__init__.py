"""Unpacking published archives (Cityscapes, ADE20K, COCO-Stuff) for the configs."""
