"""Weight files: read safely, renamed, compared with a model, converted."""
