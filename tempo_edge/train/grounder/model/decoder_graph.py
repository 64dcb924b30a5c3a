"""Writes a grounder as one ONNX graph that reads a prompt, and reads on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto

from tempo_edge import eta
from tempo_edge.search.grounders.decoder import PRESENCE
from tempo_edge.search.grounders.prompt import (
    ANSWER,
    DRAFTED,
    EVIDENCE,
    QUERY,
    REASONS,
    VISUAL,
    WIDTH,
)
from tempo_edge.train.grounder.model.network import GrounderNetwork
from tempo_edge.train.onnx_graph import Graph, Storage

Tensors = dict[str, NDArray[np.float32]]


def write_decoder(path: Path, model: GrounderNetwork, storage: Storage = "fp16") -> None:
    """Write one graph for the prompt and for every word after it.

    Inputs: ``words`` and ``kinds`` int64 ``[t]``, ``features`` float32 ``[t, WIDTH]`` and ``past``
    float32 ``[layers, 2, heads, p, size]``, with ``p`` of 0 at the start. Outputs: ``logits``
    ``[words]`` of what follows the last position, ``memory``, which is ``past`` with the ``t`` new
    positions behind it, and ``presence`` ``[1]``, the log-odds that the window shows what is asked
    for, which mean something at ``[answer]``.
    """
    build_decoder(Graph("tempo-edge-nano-grounder", storage), model).save(path)


def build_decoder(graph: Graph, model: GrounderNetwork) -> Graph:
    """The graph with a decoder's nodes and weights added to it."""
    tensors = {name: value.detach().float().numpy() for name, value in model.state_dict().items()}
    return _Llama(graph, model, tensors).build()


class _Llama:
    """The decoder's graph, written down once as its configuration says."""

    def __init__(self, graph: Graph, model: GrounderNetwork, tensors: Tensors) -> None:
        config = model.llama.config
        self.graph, self.tensors, self.shape = graph, tensors, model.shape
        self.size = self.shape.hidden // self.shape.heads
        self.epsilon = float(config.rms_norm_eps)
        rotation: Any = config.rope_parameters
        base = float(rotation["rope_theta"])
        powers = np.arange(0, self.size, 2, dtype=np.float64) / self.size
        self.frequencies = (1.0 / base**powers).astype(np.float32)

    def build(self) -> Graph:
        graph, shape = self.graph, self.shape
        graph.input("words", TensorProto.INT64, ["T"])
        graph.input("kinds", TensorProto.INT64, ["T"])
        graph.input("features", TensorProto.FLOAT, ["T", WIDTH])
        kv_cache: list[int | str] = [shape.layers, 2, shape.heads, "P", self.size]
        graph.input("past", TensorProto.FLOAT, kv_cache)
        table = graph.weight(self.tensors["llama.model.embed_tokens.weight"], "words", axis=0)
        x = self._embed(table)
        turn, mask = self._places()
        caches = []
        for layer in range(shape.layers):
            name = f"llama.model.layers.{layer}."
            read = self._norm(x, name + "input_layernorm")
            seen, cache = self._attend(read, name + "self_attn.", layer, turn, mask)
            caches.append(cache)
            x = graph.op("Add", x, seen)
            read = self._norm(x, name + "post_attention_layernorm")
            x = graph.op("Add", x, self._think(read, name + "mlp."))
        last = graph.op("Gather", x, graph.const(np.array(-1, np.int64)), axis=0)
        last = self._norm(last, "llama.model.norm")
        logits = graph.op("MatMul", last, graph.op("Transpose", table, perm=[1, 0]))
        graph.output(logits, "logits", [len(eta.WORDS)])
        longer = [*kv_cache[:3], "P + T", self.size]
        graph.output(graph.op("Concat", *caches, axis=0), "memory", longer)
        graph.output(self._presence(last), PRESENCE, [1])
        return graph

    def _presence(self, state: str) -> str:
        """The log-odds ``[1]`` by the last state ``[hidden]`` and the evidence there."""
        graph = self.graph
        here = graph.op("Gather", "features", graph.const(np.array(-1, np.int64)), axis=0)
        told = graph.op("Slice", here, graph.ints(EVIDENCE.start), graph.ints(EVIDENCE.stop))

        def weighed(x: str, name: str) -> str:
            weight = graph.weight(self.tensors[f"presence.{name}"], f"{PRESENCE}_{name}")
            return graph.op("MatMul", x, weight)

        odds = graph.op("Add", weighed(told, "weights"), weighed(state, "residual"))
        bias = graph.weight(self.tensors["presence.bias"], f"{PRESENCE}_bias")
        return graph.op("Add", odds, bias)

    def _linear(self, x: str, name: str) -> str:
        bias: Any = self.tensors.get(f"{name}.bias")
        return self.graph.linear(x, self.tensors[f"{name}.weight"], bias, name.rpartition(".")[2])

    def _embed(self, table: str) -> str:
        graph = self.graph

        def of_kind(kind: int) -> str:
            same = graph.op("Equal", "kinds", graph.const(np.array(kind, np.int64)))
            return graph.op("Unsqueeze", same, graph.ints(1))

        def part(of: slice) -> str:
            first, last = graph.ints(of.start), graph.ints(of.stop)
            return graph.op("Slice", "features", first, last, graph.ints(1))

        said = graph.op("Gather", table, "words", axis=0)
        shown = graph.op("Add", self._linear("features", "sight"), said)
        drafted = graph.op("MatMul", part(DRAFTED), table)
        told = graph.op("Add", said, drafted)
        told = graph.op("Add", told, self._linear(part(REASONS), "draft"))
        spoken = graph.op("Where", of_kind(ANSWER), told, said)
        seen = graph.op("Where", of_kind(VISUAL), shown, spoken)
        read = graph.op("Where", of_kind(QUERY), self._linear("features", "query"), seen)
        return graph.op("Mul", read, graph.number(self.shape.hidden**0.5))

    def _places(self) -> tuple[tuple[str, str], str]:
        """Cosines and sines ``[t, size]`` of the new places, and the causal mask ``[t, p+t]``."""
        graph, zero, one = self.graph, np.array(0, np.int64), np.array(1, np.int64)

        def length(value: str, axis: int) -> str:
            sizes = graph.op("Shape", value)
            return graph.op("Gather", sizes, graph.const(np.array(axis, np.int64)), axis=0)

        before = length("past", 3)
        total = graph.op("Add", before, length("words", 0))
        new = graph.op("Range", before, total, graph.const(one))
        every = graph.op("Range", graph.const(zero), total, graph.const(one))
        column = graph.op("Unsqueeze", new, graph.ints(1))
        hidden = graph.op("Greater", graph.op("Unsqueeze", every, graph.ints(0)), column)
        mask = graph.op("Where", hidden, graph.number(-1e9), graph.number(0.0))
        turns = graph.op(
            "Mul",
            graph.op("Cast", column, to=TensorProto.FLOAT),
            graph.const(np.tile(self.frequencies, 2)),
        )
        return (graph.op("Cos", turns), graph.op("Sin", turns)), mask

    def _norm(self, x: str, name: str) -> str:
        """Root mean square normalization (Zhang and Sennrich, 2019)."""
        graph = self.graph
        power = graph.op("ReduceMean", graph.op("Mul", x, x), axes=[-1], keepdims=1)
        scale = graph.op("Sqrt", graph.op("Add", power, graph.number(self.epsilon)))
        weight = graph.weight(self.tensors[f"{name}.weight"], "norm")
        return graph.op("Mul", graph.op("Div", x, scale), weight)

    def _heads(self, x: str) -> str:
        """``[t, hidden]`` to ``[heads, t, size]``."""
        split = self.graph.ints(-1, self.shape.heads, self.size)
        return self.graph.op("Transpose", self.graph.op("Reshape", x, split), perm=[1, 0, 2])

    def _turned(self, x: str, turn: tuple[str, str]) -> str:
        """Rotary position embedding (Su et al., 2021) of ``[heads, t, size]``, halves apart."""
        graph, half = self.graph, self.size // 2
        low = graph.op("Slice", x, graph.ints(0), graph.ints(half), graph.ints(2))
        high = graph.op("Slice", x, graph.ints(half), graph.ints(self.size), graph.ints(2))
        across = graph.op("Concat", graph.op("Neg", high), low, axis=2)
        return graph.op("Add", graph.op("Mul", x, turn[0]), graph.op("Mul", across, turn[1]))

    def _attend(
        self, x: str, name: str, layer: int, turn: tuple[str, str], mask: str
    ) -> tuple[str, str]:
        """The output of attention ``[t, hidden]``, and the cache ``[1, 2, heads, p+t, size]``."""
        graph = self.graph
        queries = self._turned(self._heads(self._linear(x, name + "q_proj")), turn)
        new = (
            self._turned(self._heads(self._linear(x, name + "k_proj")), turn),
            self._heads(self._linear(x, name + "v_proj")),
        )
        past = graph.op("Gather", "past", graph.const(np.array(layer, np.int64)), axis=0)
        keys, values = (
            graph.op(
                "Concat",
                graph.op("Gather", past, graph.const(np.array(place, np.int64)), axis=0),
                fresh,
                axis=1,
            )
            for place, fresh in enumerate(new)
        )
        scores = graph.op("MatMul", queries, graph.op("Transpose", keys, perm=[0, 2, 1]))
        scores = graph.op("Mul", scores, graph.number(self.size**-0.5))
        shares = graph.op("Softmax", graph.op("Add", scores, mask), axis=-1)
        seen = graph.op("Transpose", graph.op("MatMul", shares, values), perm=[1, 0, 2])
        seen = graph.op("Reshape", seen, graph.ints(-1, self.shape.hidden))
        both = [graph.op("Unsqueeze", part, graph.ints(0, 1)) for part in (keys, values)]
        return self._linear(seen, name + "o_proj"), graph.op("Concat", *both, axis=1)

    def _think(self, x: str, name: str) -> str:
        """The gated feed-forward part (SwiGLU, Shazeer, 2020)."""
        graph = self.graph
        gate = self._linear(x, name + "gate_proj")
        gate = graph.op("Mul", gate, graph.op("Sigmoid", gate))
        both = graph.op("Mul", gate, self._linear(x, name + "up_proj"))
        return self._linear(both, name + "down_proj")
