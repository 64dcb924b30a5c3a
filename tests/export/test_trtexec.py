"""The command that builds an engine with TensorRT's own tool."""

from __future__ import annotations

import shlex
from pathlib import Path

from tempo_export.trtexec import trtexec_command

from tempo_edge.models.shapes import InputShape, Shapes, image_shapes


def test_the_command_for_tensorrts_own_tool() -> None:
    words = trtexec_command(
        Path("/m/my graph.onnx"),
        Path("/m/image.engine"),
        [image_shapes(224)],
        1 << 30,
        Path("/m/timing.cache"),
        "11.4.0.106",
    )
    assert words == [
        "trtexec",
        "--onnx=/m/my graph.onnx",
        "--saveEngine=/m/image.engine",
        "--memPoolSize=workspace:1024M",
        "--timingCacheFile=/m/timing.cache",
        "--skipInference",
        "--minShapes=images:1x224x224x3",
        "--optShapes=images:16x224x224x3",
        "--maxShapes=images:16x224x224x3",
    ]
    assert shlex.split(shlex.join(words)) == words
    assert "'--onnx=/m/my graph.onnx'" in shlex.join(words)


def test_the_command_for_several_profiles_and_an_older_tool() -> None:
    profiles: list[Shapes] = [{"x": InputShape((1,), (2,), (3,))}, {"x": InputShape(*((9,),) * 3)}]
    words = trtexec_command(Path("g"), Path("e"), profiles, 1 << 20, Path("t"), "10.16.1.11")
    assert "--stronglyTyped" in words
    assert words[words.index("--profile=0") :] == [
        "--profile=0",
        "--minShapes=x:1",
        "--optShapes=x:2",
        "--maxShapes=x:3",
        "--profile=1",
        "--minShapes=x:9",
        "--optShapes=x:9",
        "--maxShapes=x:9",
    ]
