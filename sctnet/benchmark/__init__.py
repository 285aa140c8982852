"""What ``tools/benchmark.py`` runs: our networks and their peers, measured alike."""
