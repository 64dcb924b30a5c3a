"""A mutation campaign: one small fault at a time is put into a module, and its tests must notice.

``python -m benchmarks.mutation [MODULE …] --most 25 --seed 0`` takes a seeded sample of the
mutants of each module that decides, runs the few test files that guard it against each, and prints
a table by module. It works in a copy of the checkout, goes on where it was stopped, and ends with
status 1 where fewer than the share asked for are noticed. The operators are cosmic-ray's:
the extra ``mutation`` brings them.
"""
