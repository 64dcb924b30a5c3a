"""What people read in a terminal: text on one line each, progress, and a sign of life."""
