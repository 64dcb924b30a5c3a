"""The layers that never learn, and the untouched classifier, in ONNX Runtime.

On a processor they take a quarter of PyTorch's time there, and there are a hundred thousand views.
"""

from __future__ import annotations

import hashlib

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto

from tempo_edge.train.onnx_graph import Graph
from tempo_edge.train.towers.backbones import BLOCKS, Lite0, Tensors, convolutions

__all__ = ["FrozenStem"]


class FrozenStem:
    """The first layer and the first blocks of a trunk.

    Attributes:
        digest: a hash of their weights.
    """

    def __init__(
        self,
        trunk: Tensors,
        untouched: Tensors,
        classifier: tuple[NDArray[np.float32], NDArray[np.float32]],
        *,
        frozen: int,
        size: int,
        threads: int,
    ) -> None:
        """Build the graph.

        Args:
            trunk, untouched: folded tensors of the trunk that learns and of EfficientNet-Lite0 as
                it comes; the same object if they are the same.
            classifier: the weight ``[1000, 1280]`` and bias ``[1000]`` of the untouched classifier.
            frozen: how many blocks never learn.
            size: the side of a picture in pixels.
        """
        parts = [*convolutions(-1), *(each for at in range(frozen) for each in convolutions(at))]
        weights = hashlib.sha256()
        for each in parts:
            for name in (f"{each.name}.weight", f"{each.name}.bias"):
                weights.update(trunk[name].astype(np.float32).tobytes())
        self.digest = weights.hexdigest()
        model = _graph(trunk, untouched, classifier, frozen, size).model()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(
            model.SerializeToString(), sess_options=options, providers=["CPUExecutionProvider"]
        )

    def __call__(
        self, pictures: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float16], NDArray[np.float16]]:
        """The stem's output and the classifier's probabilities.

        Args:
            pictures: uint8 ``[n, size, size, 3]``.

        Returns:
            float16 ``[n, h, w, c]`` and float16 ``[n, 1000]``.
        """
        maps, classes = self._session.run(["maps", "classes"], {"images": pictures})
        return maps.astype(np.float16), classes.astype(np.float16)


def _graph(
    trunk: Tensors,
    untouched: Tensors,
    classifier: tuple[NDArray[np.float32], NDArray[np.float32]],
    frozen: int,
    size: int,
) -> Graph:
    graph = Graph("tempo-edge-frozen-stem")
    images = graph.input("images", TensorProto.UINT8, ["N", size, size, 3])
    whole = Lite0(graph, untouched)
    x = maps = whole.first(images)
    for index in range(len(BLOCKS)):
        x = whole.block(x, index)
        maps = x if index < frozen else maps
    mean = graph.op("GlobalAveragePool", whole.last(x))
    flat = graph.op("Reshape", mean, graph.ints(0, -1))
    classes = graph.op("Softmax", graph.linear(flat, *classifier, "classifier"), axis=-1)
    if trunk is not untouched:
        learned = Lite0(graph, trunk)
        maps = learned.first(images)
        for index in range(frozen):
            maps = learned.block(maps, index)
    graph.output(graph.op("Transpose", maps, perm=[0, 2, 3, 1]), "maps", ["N", "H", "W", "C"])
    graph.output(classes, "classes", ["N", len(classifier[1])])
    return graph
