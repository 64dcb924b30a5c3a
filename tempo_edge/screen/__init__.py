"""Words that stand in the picture: found, read, and followed from look to look.

``models`` has the two graphs, ``detection`` finds where writing is, ``recognition`` reads it,
``rows`` puts what stands side by side together, ``following`` knows what is still there, and
``film`` goes through the looks of a film and gives lines.
"""
