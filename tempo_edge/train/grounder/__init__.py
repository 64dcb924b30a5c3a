"""Teaches a compact Video-MLLM to ground: its data, SFT and PIR-GRPO."""
