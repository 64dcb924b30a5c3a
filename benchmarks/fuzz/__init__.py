"""Fuzzing: whatever reads something from outside is given what nobody would write, by a seed.

``python -m benchmarks.fuzz`` runs every target for a minute and ends with status 1 where an oracle
objected. A target is a module of this package: cases that Hypothesis draws, and an oracle that
says what may be raised and what must hold. Each finding is a file that ``--again`` runs alone.
"""
