"""Models of random weights and a few thousand numbers, written without torch, for a profile.

They are real ones as far as a search can tell: a hub model makes visual tokens of pictures, embeds
words, and has one layer of attention with a KV cache; a decoder adds up all that it has read.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import graphs
import numpy as np
from graphs import FLOAT, INT64, UINT8, array, node, tensor
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from tempo_edge import eta
from tempo_edge.models.checksum import sha256_of
from tempo_edge.models.profile_manifest import record_file
from tempo_edge.search.grounders.prompt import WIDTH

__all__ = ["SIZE", "write_tiny_decoder", "write_tiny_hub"]

#: Pixels along a side of its pictures.
SIZE = 16

_HIDDEN, _WIDTH, _TOKENS = 16, 8, 4
_MARKS = ("<end>", "<image>")


def whole(name: str, *values: int) -> graphs.onnx.TensorProto:
    """A one-dimensional int64 weight."""
    return array(name, values, np.int64)


Weight = Callable[..., graphs.onnx.TensorProto]


def _weights(seed: int) -> Weight:
    """Random weights by name and shape."""
    rng = np.random.default_rng(seed)

    def weight(name: str, *shape: int) -> graphs.onnx.TensorProto:
        return array(name, rng.normal(0, 1.5 / shape[0] ** 0.5, shape))

    return weight


def write_tiny_decoder(folder: Path, seed: int = 0) -> None:
    """Write a decoder in the place of a profile's own, and enter it there."""
    weight = _weights(seed)
    nodes = [
        node("MatMul", ["features", "look"], ["seen"]),
        node("Gather", ["table", "words"], ["read"]),
        node("Gather", ["sorts", "kinds"], ["sorted"]),
        node("Sum", ["seen", "read", "sorted"], ["rows"]),
        node("Concat", ["past", "rows"], ["memory"], axis=0),
        node("ReduceMean", ["memory"], ["average"], axes=[0], keepdims=1),
        node("Slice", ["rows", "minus", "end", "first"], ["last"]),
        node("Add", ["average", "last"], ["state"]),
        node("Tanh", ["state"], ["bent"]),
        node("MatMul", ["bent", "say"], ["said"]),
        node("Reshape", ["said", "row"], ["logits"]),
    ]
    words = len(eta.WORDS)
    made = graphs.model(
        nodes,
        weight("look", WIDTH, _HIDDEN),
        weight("table", words, _HIDDEN),
        weight("sorts", 4, _HIDDEN),
        weight("say", _HIDDEN, words),
        *(whole("minus", -1), whole("end", 1 << 62), whole("first", 0), whole("row", -1)),
        inputs=(
            tensor("words", INT64, ["t"]),
            tensor("kinds", INT64, ["t"]),
            tensor("features", FLOAT, ["t", WIDTH]),
            tensor("past", FLOAT, ["p", _HIDDEN]),
        ),
        outputs=(tensor("logits", FLOAT, [words]), tensor("memory", FLOAT, ["q", _HIDDEN])),
    )
    (folder / "grounder.onnx").write_bytes(made.SerializeToString())
    record_file(folder, "grounder.onnx")


def write_tiny_hub(folder: Path, seed: int = 0) -> None:
    """Write the files of a hub model into the folder of a profile, and enter them there."""
    tokenizer = _tokenizer()
    words = tokenizer.get_vocab_size()
    weight = _weights(seed)
    made = {
        "grounder-vision.onnx": _vision(weight),
        "grounder-embedding.onnx": _embedding(weight, words),
        "grounder-step.onnx": _step(weight, words),
    }
    for name, graph in made.items():
        (folder / name).write_bytes(graph.SerializeToString())
    (folder / "grounder-tokenizer.json").write_text(tokenizer.to_str(), encoding="utf-8")
    files = [*made, "grounder-tokenizer.json"]
    chat = {"before": "", "opens": "", "sight": "<image>", "closes": "", "after": "\n"}
    manifest = {
        "version": 1,
        "source": "tiny",
        "revision": None,
        "picture": {"size": SIZE, "tokens": _TOKENS},
        "axes": 1,
        "deep": 0,
        "cache": {"layers": 1, "heads": 1, "width": _WIDTH},
        "chat": chat | {"unit": "s", "lead": ""},
        "tokens": {
            "sight": tokenizer.token_to_id("<image>"),
            "end": tokenizer.token_to_id("<end>"),
        },
        "files": {name: {"sha256": sha256_of(folder / name)} for name in files},
    }
    (folder / "grounder.json").write_text(json.dumps(manifest), encoding="utf-8")
    for name in (*files, "grounder.json"):
        record_file(folder, name)


def _tokenizer() -> Tokenizer:
    """A byte a token, but that ``none`` is one word already."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = [("n", "o"), ("n", "e"), ("no", "ne")]
    vocabulary = [*letters, *("".join(pair) for pair in merges)]
    plain = Tokenizer(models.BPE(vocab={w: i for i, w in enumerate(vocabulary)}, merges=merges))
    plain.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    plain.decoder = decoders.ByteLevel()
    plain.add_special_tokens([AddedToken(word, special=True) for word in _MARKS])
    return plain


def _vision(weight: Weight) -> graphs.Made:
    nodes = [
        node("Cast", ["pictures"], ["levels"], to=FLOAT),
        node("Div", ["levels", "white"], ["shares"]),
        node("Reshape", ["shares", "parts"], ["cells"]),
        node("MatMul", ["cells", "look"], ["sights"]),
    ]
    return graphs.model(
        nodes,
        array("white", 255.0),
        whole("parts", 0, _TOKENS, -1),
        weight("look", SIZE * SIZE * 3 // _TOKENS, _HIDDEN),
        inputs=(tensor("pictures", UINT8, ["n", SIZE, SIZE, 3]),),
        outputs=(tensor("sights", FLOAT, ["n", _TOKENS, _HIDDEN]),),
    )


def _embedding(weight: Weight, words: int) -> graphs.Made:
    return graphs.model(
        [node("Gather", ["table", "words"], ["embeds"])],
        weight("table", words, _HIDDEN),
        inputs=(tensor("words", INT64, ["b", "t"]),),
        outputs=(tensor("embeds", FLOAT, ["b", "t", _HIDDEN]),),
    )


def _step(weight: Weight, words: int) -> graphs.Made:
    """One head of attention of the last position over all that was read, with sines for places."""
    nodes = [
        node("Cast", ["positions"], ["places"], to=FLOAT),
        node("Reshape", ["places", "column"], ["at"]),
        node("Mul", ["at", "pace"], ["turns"]),
        node("Sin", ["turns"], ["where"]),
        node("Add", ["embeds", "where"], ["read"]),
    ]
    for part in ("keys", "values"):
        nodes += [
            node("MatMul", ["read", f"to.{part}"], [f"flat.{part}"]),
            node("Unsqueeze", [f"flat.{part}", "one"], [f"new.{part}"]),
            node("Concat", [f"past.0.{part}", f"new.{part}"], [f"present.0.{part}"], axis=2),
        ]
    nodes += [
        node("Slice", ["read", "minus", "end", "one"], ["last"]),
        node("MatMul", ["last", "to.asks"], ["asks"]),
        node("Unsqueeze", ["asks", "one"], ["asked"]),
        node("Transpose", ["present.0.keys"], ["across"], perm=[0, 1, 3, 2]),
        node("MatMul", ["asked", "across"], ["scores"]),
        node("Softmax", ["scores"], ["shares"], axis=-1),
        node("MatMul", ["shares", "present.0.values"], ["seen"]),
        node("MatMul", ["seen", "say"], ["said"]),
        node("Reshape", ["said", "row"], ["logits"]),
    ]
    cache = [
        tensor(f"{when}.0.{part}", FLOAT, [1, 1, length, _WIDTH])
        for when, length in (("past", "p"), ("present", "q"))
        for part in ("keys", "values")
    ]
    return graphs.model(
        nodes,
        whole("column", 1, -1, 1),
        array("pace", 1.0 / 3.0 ** np.arange(_HIDDEN)),
        weight("to.keys", _HIDDEN, _WIDTH),
        weight("to.values", _HIDDEN, _WIDTH),
        weight("to.asks", _HIDDEN, _WIDTH),
        weight("say", _WIDTH, words),
        whole("one", 1),
        whole("minus", -1),
        whole("end", 1 << 62),
        whole("row", 1, -1),
        inputs=(
            tensor("embeds", FLOAT, [1, "t", _HIDDEN]),
            tensor("positions", INT64, [1, 1, "t"]),
            *cache[:2],
        ),
        outputs=(tensor("logits", FLOAT, [1, words]), *cache[2:]),
    )
