"""How fast our networks and their peers are, and what training takes."""
