"""Volumes: the drives and shares that footage lies on, and where this machine has them.

A library that several machines share names its volumes: a file is a volume and a path within it,
and each machine says, or finds out, where a volume is mounted.
"""
