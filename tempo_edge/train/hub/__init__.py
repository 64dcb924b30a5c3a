"""Hub models as policies: they see the frames themselves, and LoRA is what is trained.

They read each frame's time before the frame, as the built-in grounder does, and answer in the same
words. But no grammar bounds them: an answer that is not of the language can't be read, and earns
nothing.
"""

from __future__ import annotations

from tempo_edge.train.hub.hub_policy import HubPolicy
from tempo_edge.train.hub.loading import load_hub

__all__ = ["HubPolicy", "load_hub"]
