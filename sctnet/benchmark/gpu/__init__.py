"""Is the package right on a GPU, and what does it cost there? One fact a line."""
