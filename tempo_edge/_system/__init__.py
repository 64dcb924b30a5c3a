"""What processes are given by the system they run on: signals, priorities, limits, a GPU."""
