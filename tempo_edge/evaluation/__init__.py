"""Judging a profile and fitting how sure it is: metrics, calibration, minimal pairs. No torch."""
