"""What tempo-edge finds, where people work: players, editors, the desktop.

Nothing here is used while footage is indexed or searched.
"""
