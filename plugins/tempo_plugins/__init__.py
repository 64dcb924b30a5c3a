"""Doors from other programs to the search: desktops, launchers, assistants, players, editors.

Every one of them asks the service, or the library where no service runs. Nothing here is used by
indexing or by the search itself.
"""
