"""PIR-GRPO: rollouts of a policy, what they earn, and how it learns from that."""
