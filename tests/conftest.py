"""What every test may use. Being here puts this folder on the path: `from videos import ...`."""
