"""Images, videos and cameras: read, segmented and written at the same time."""
