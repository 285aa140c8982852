"""Images and label maps: reading, checking, converting, preparing and making them."""
