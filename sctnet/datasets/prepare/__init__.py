"""Published archives (Cityscapes, ADE20K, COCO-Stuff) to what the configs read."""
