"""From a trained profile to the machine that runs it: precision, ONNX, TensorRT.

Nothing here is used while footage is indexed or searched.
"""
