"""From an image to the network's input, and from its small logits to label maps."""
