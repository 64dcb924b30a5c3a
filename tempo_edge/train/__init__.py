"""Training and evaluation; needs the `train` extra and is never imported at run time."""
