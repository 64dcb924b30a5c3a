"""Trains the two towers of a profile: ``python -m tempo_edge.train.towers``.

``corpus`` and ``feature_cache`` prepare the pictures, ``batches`` draws them, ``trainer`` learns by
``losses``, ``validation`` follows it, and ``profile_files`` writes what came of it.
"""
