"""Search providers of desktops, and plugins of launchers."""
