"""TensorRT, on NVIDIA GPUs. Written against its public API; not run by the tests."""

import os
from pathlib import Path

import tensorrt as trt
import torch
from torch import Tensor, nn

from ...errors import ArgumentError, CheckpointError
from ..to_onnx import ExportGraph, to_onnx
from . import Runtime, name_of

MAGIC = b'sctnet engine\0'
SMALLEST, LARGEST = (64, 64), (2048, 2048)  # of an engine that takes any size
TYPES = {trt.float32: torch.float32, trt.float16: torch.float16}


def load(
    source: nn.Module | str | bytes,
    device: torch.device,
    precision: str = 'fp16',
    size: tuple[int, int] = (512, 1024),
) -> Runtime:
    """Run a network, or an ``.engine`` file, with TensorRT.

    Args:
        source: the network, of which an engine is built (minutes), or the file's path.
        device: a CUDA device.
        precision: ``fp16`` or ``fp32`` of an engine that is built.
        size: the (height, width) it is tuned for.
    """
    if device.type != 'cuda':
        raise ArgumentError(f"TensorRT needs a GPU but the device is '{device}'")
    if isinstance(source, nn.Module):
        graph = ExportGraph(source.to(device), half=precision == 'fp16')
        images = torch.zeros(1, 3, 128, 160, device=device)
        plan = build_engine(to_onnx(graph, images), size)
    else:
        data = source if isinstance(source, bytes) else Path(source).read_bytes()
        _, plan = _split(data)
    engine = trt.Runtime(trt.Logger(trt.Logger.WARNING)).deserialize_cuda_engine(plan)
    if engine is None:
        raise CheckpointError(
            f'TensorRT {trt.__version__} cannot open {name_of(source)}: engines are '
            'bound to the version and GPU they were built with; export it again here'
        )
    return _Engine(engine, device)


def build_engine(model: bytes | str | os.PathLike, size: tuple[int, int]) -> bytes:
    """Build an engine of an ONNX model, in the precision that the model has.

    Args:
        model: the model, or its path.
        size: the (height, width) that it is tuned for; a model with a free size takes
            64x64 to 2048x2048 pixels.

    Raises:
        CheckpointError: TensorRT cannot parse or build it.
    """
    logger = trt.Logger(trt.Logger.WARNING)
    builder = trt.Builder(logger)
    # Strongly typed: the types are the model's, as newer TensorRT demands.
    flag = 1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED)
    network = builder.create_network(flag)
    parser = trt.OnnxParser(network, logger)
    data = model if isinstance(model, bytes) else Path(model).read_bytes()
    if not parser.parse(data):
        raise CheckpointError(
            f'TensorRT cannot parse the model ({parser.get_error(0).desc()}): export '
            'it again with tools/export.py'
        )
    config = builder.create_builder_config()
    images = network.get_input(0)
    if -1 in images.shape:
        profile = builder.create_optimization_profile()
        last = images.shape[-1] == 3
        shapes = [(1, *s, 3) if last else (1, 3, *s) for s in (SMALLEST, size, LARGEST)]
        profile.set_shape(images.name, *shapes)
        config.add_optimization_profile(profile)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise CheckpointError(
            'TensorRT could not build an engine: see its messages above'
        )
    return bytes(plan)


def with_metadata(plan: bytes, text: str) -> bytes:
    """Put what ``tools/export.py`` says of an engine before its plan."""
    said = text.encode()
    return MAGIC + len(said).to_bytes(8, 'little') + said + plan


def _split(data: bytes) -> tuple[str | None, bytes]:
    if not data.startswith(MAGIC):
        return None, data
    begin = len(MAGIC) + 8
    end = begin + int.from_bytes(data[len(MAGIC) : begin], 'little')
    return data[begin:end].decode(), data[end:]


def read_metadata(path: str) -> str | None:
    """Return what ``tools/export.py`` wrote into an ``.engine`` file about it."""
    return _split(Path(path).read_bytes())[0]


class _Engine:
    """Runs an engine on torch's tensors, in torch's stream."""

    def __init__(self, engine: 'trt.ICudaEngine', device: torch.device) -> None:
        self.engine = engine
        self.context = engine.create_execution_context()
        self.device = device
        self.input, self.output = (engine.get_tensor_name(i) for i in range(2))

    def __call__(self, images: Tensor) -> Tensor:
        dtype = TYPES[self.engine.get_tensor_dtype(self.input)]
        images = images.to(self.device, dtype).contiguous()
        self.context.set_input_shape(self.input, tuple(images.shape))
        shape = tuple(self.context.get_tensor_shape(self.output))
        dtype = TYPES[self.engine.get_tensor_dtype(self.output)]
        logits = torch.empty(shape, dtype=dtype, device=self.device)
        self.context.set_tensor_address(self.input, images.data_ptr())
        self.context.set_tensor_address(self.output, logits.data_ptr())
        stream = torch.cuda.current_stream(self.device)
        self.context.execute_async_v3(stream.cuda_stream)
        stream.synchronize()
        return logits.float()
