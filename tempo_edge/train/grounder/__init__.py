"""Teaches the built-in grounder: made-up windows, a small decoder, SFT, then PIR-GRPO."""
