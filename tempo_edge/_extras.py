"""Which optional part of the installation brings a module that is not here."""

from __future__ import annotations

__all__ = ["what_to_install"]

# By the name that is imported: how people know it, and the extra that has it.
_EXTRAS = {
    "PIL": ("Pillow", "train"),
    "faiss": ("faiss", "cpu"),
    "huggingface_hub": ("huggingface_hub", "pull"),
    "matplotlib": ("matplotlib", "train"),
    "onnx": ("onnx", "train"),
    "onnx_ir": ("onnx-ir", "train"),
    "onnxruntime": ("onnxruntime", "cpu"),
    "optimum": ("optimum-onnx", "export"),
    "peft": ("peft", "hub"),
    "safetensors": ("safetensors", "train"),
    "torch": ("torch", "train"),
    "transformers": ("transformers", "train"),
    "yaml": ("PyYAML", "train"),
}


def what_to_install(error: ModuleNotFoundError) -> str | None:
    """One line on what brings the module that was not found; None if no extra does."""
    known = _EXTRAS.get((error.name or "").partition(".")[0])
    if known is None:
        return None
    name, extra = known
    return f'{name} is not installed: pip install "tempo-edge[{extra}]"'
