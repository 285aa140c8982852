"""TensorRT, on NVIDIA GPUs. Written against its public API; not run by the tests."""

from pathlib import Path

import tensorrt as trt
import torch
from torch import Tensor, nn

from ...errors import ArgumentError, CheckpointError
from ...weights.bands import first_bands
from ..onnx_graph import ExportGraph, to_onnx
from . import Opened, check_choice

FAILURES = (RuntimeError,)
MAGIC = b'sctnet engine\0'
SMALLEST, LARGEST = (64, 64), (2048, 2048)  # of an engine that takes any size
TYPES = {trt.float32: torch.float32, trt.float16: torch.float16}


def load(
    source: nn.Module | str | bytes,
    device: torch.device,
    precision: str = 'fp16',
    size: tuple[int, int] = (512, 1024),
) -> Opened:
    """Run a network, or an ``.engine`` file, with TensorRT.

    Args:
        source: the network, of which an engine is built (minutes), or the file's path.
        device: a CUDA device.
        precision: ``fp16`` or ``fp32`` of an engine that is built.
        size: the (height, width) it is tuned for.
    """
    if device.type != 'cuda':
        raise ArgumentError(f"TensorRT needs a GPU but the device is '{device}'")
    check_choice('precision', precision, {'fp16': trt.float16, 'fp32': trt.float32})
    metadata = None
    if isinstance(source, nn.Module):
        graph = ExportGraph(source.to(device), half=precision == 'fp16')
        images = torch.zeros(1, first_bands(source), 128, 160, device=device)
        plan = build_engine(to_onnx(graph, images), size)
    else:
        data = source if isinstance(source, bytes) else Path(source).read_bytes()
        metadata, plan = _split(data)
    engine = trt.Runtime(trt.Logger(trt.Logger.WARNING)).deserialize_cuda_engine(plan)
    if engine is None:
        raise RuntimeError(
            f'TensorRT {trt.__version__} takes engines of this version and this GPU '
            'alone'
        )
    context = engine.create_execution_context()
    names = [engine.get_tensor_name(i) for i in range(2)]

    def run(images: Tensor) -> Tensor:
        """Run on torch's tensors, in torch's stream."""
        into, out_of = (TYPES[engine.get_tensor_dtype(name)] for name in names)
        images = images.to(device, into).contiguous()
        if not context.set_input_shape(names[0], tuple(images.shape)):
            raise RuntimeError('the engine was built for other sizes or batches')
        shape = tuple(context.get_tensor_shape(names[1]))
        logits = torch.empty(shape, dtype=out_of, device=device)
        for name, tensor in zip(names, (images, logits), strict=True):
            context.set_tensor_address(name, tensor.data_ptr())
        stream = torch.cuda.current_stream(device)
        if not context.execute_async_v3(stream.cuda_stream):
            raise RuntimeError('its messages are above')
        stream.synchronize()
        return logits.float()

    return Opened(run, metadata)


def build_engine(model: bytes, size: tuple[int, int]) -> bytes:
    """Build an engine of an ONNX model, in the precision that the model has.

    Args:
        model: the model.
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
    if not parser.parse(model):
        raise CheckpointError(
            f'TensorRT cannot parse the model ({parser.get_error(0).desc()}): export '
            'it again with sctnet export'
        )
    config = builder.create_builder_config()
    images = network.get_input(0)
    if -1 in images.shape:
        profile = builder.create_optimization_profile()
        last = images.shape[-1] == 3
        bands = images.shape[1]
        sizes = (SMALLEST, size, LARGEST)
        shapes = [(1, *s, 3) if last else (1, bands, *s) for s in sizes]
        profile.set_shape(images.name, *shapes)
        config.add_optimization_profile(profile)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise CheckpointError(
            'TensorRT could not build an engine: see its messages above'
        )
    return bytes(plan)


def with_metadata(plan: bytes, text: str) -> bytes:
    """Put what ``sctnet export`` says of an engine before its plan."""
    said = text.encode()
    return MAGIC + len(said).to_bytes(8, 'little') + said + plan


def _split(data: bytes) -> tuple[str | None, bytes]:
    if not data.startswith(MAGIC):
        return None, data
    begin = len(MAGIC) + 8
    end = begin + int.from_bytes(data[len(MAGIC) : begin], 'little')
    return data[begin:end].decode(), data[end:]
