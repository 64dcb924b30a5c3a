"""A campaign against the program itself: broken files, killed runs, hostile bundles, idle sockets.

``python -m benchmarks.campaign`` runs all of it with bounds on time and memory, and ends with
status 1 where anything was found: a traceback, a run that ended early, a file that nobody accounts
for, more than a gigabyte, more than a minute for one file.
"""
