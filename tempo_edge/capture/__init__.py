"""When and where footage was taken, and by which camera: read, and never guessed in silence.

It imports no decoder before a file is opened.
"""
