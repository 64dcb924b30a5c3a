"""The parts of :mod:`tempo_edge.saa`: a budget, and where packets say that it is well spent."""
