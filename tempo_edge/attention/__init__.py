"""What :mod:`tempo_edge.saa` is made of: a budget, and where packets say that it is well spent."""
