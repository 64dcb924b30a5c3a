"""Made-up windows of captioned pictures: a camera films them, shots are cut and joined."""
