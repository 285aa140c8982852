"""A trained segmentor beyond torch: exported files, and the back ends that run it."""
