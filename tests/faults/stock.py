"""Sound material to damage, made once a process."""

import io
import sys
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from mmengine.registry import init_default_scope
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
REPOSITORY = Path(__file__).resolve().parents[2]

import sctnet  # noqa: E402, F401  before mmseg

LEAF = 'sctnet_t_1xb4_600_streets_128x256'
TINY = {
    'model.backbone.base_channels': 8,
    'model.backbone.dappm_channels': 8,
    'model.decode_head.in_channels': 32,
    'model.decode_head.channels': 32,
    'model.auxiliary_head.in_channels': 16,
    'model.auxiliary_head.channels': 16,
    'model.siam': None,
}


class Stock:
    """Images, label maps, weight files, a network and a data set, all tiny."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        init_default_scope('mmseg')

    @cached_property
    def images(self) -> dict[str, bytes]:
        """Name to file: formats times grey, colour, alpha and 16 bits."""
        rng = np.random.default_rng(0)
        noise = rng.integers(0, 256, (12, 16, 3), np.uint8)
        colour = cv2.resize(noise, (96, 80), interpolation=cv2.INTER_CUBIC)
        grey = colour[..., 0]
        pictures = {
            'colour': Image.fromarray(colour),
            'grey': Image.fromarray(grey),
            'alpha': Image.fromarray(np.dstack([colour, grey])),
            'deep': Image.fromarray(grey.astype(np.uint16) * 257),
            'indexed': Image.fromarray(colour).quantize(16),
        }
        allowed = {
            '.png': tuple(pictures),
            '.jpg': ('colour', 'grey'),
            '.bmp': ('colour', 'grey'),
            '.tiff': ('colour', 'grey', 'alpha', 'deep'),
            '.webp': ('colour', 'alpha'),
        }
        files = {}
        for suffix, names in allowed.items():
            for name in names:
                files[name + suffix] = _save(pictures[name], suffix)
        files['progressive.jpg'] = _save(pictures['colour'], '.jpg', progressive=True)
        files['packed.tiff'] = _save(
            pictures['colour'], '.tiff', compression='tiff_lzw'
        )
        return files

    @cached_property
    def video(self) -> bytes:
        """Five frames of 96x80 pixels."""
        path = self.folder / 'short.mp4'
        codec = cv2.VideoWriter.fourcc(*'mp4v')
        writer = cv2.VideoWriter(str(path), codec, 10, (96, 80))
        for value in range(5):
            writer.write(np.full((80, 96, 3), 40 * value, np.uint8))
        writer.release()
        return path.read_bytes()

    @cached_property
    def labels(self) -> dict[str, bytes]:
        """Name to PNG of a label map of 96x80 pixels."""
        rng = np.random.default_rng(1)
        blocks = rng.choice([*range(19), 255], (10, 12)).astype(np.uint8)
        grey = cv2.resize(blocks, (96, 80), interpolation=cv2.INTER_NEAREST)
        palette = Image.fromarray(grey)
        palette.putpalette(bytes(rng.integers(0, 256, 768, np.uint8)))
        return {
            'grey.png': _save(Image.fromarray(grey), '.png'),
            'palette.png': _save(palette, '.png'),
            'deep.png': _save(Image.fromarray(grey.astype(np.uint16)), '.png'),
            'colour.png': _save(Image.fromarray(np.dstack([grey] * 3)), '.png'),
        }

    @cached_property
    def config(self) -> Any:
        from sctnet.catalog import load_config, merge_options

        cfg = load_config(LEAF)
        merge_options(cfg, TINY)
        return cfg

    @cached_property
    def model(self) -> Any:
        from sctnet.apis import init_model

        torch.manual_seed(0)
        return init_model(self.config, None, 'cpu', backend='torch')

    @property
    def checkpoint(self) -> dict[str, Any]:
        meta = {'dataset_meta': dict(self.model.dataset_meta), 'seed': 0}
        return {'meta': meta, 'state_dict': dict(self.model.state_dict())}

    @cached_property
    def weights(self) -> dict[str, bytes]:
        """Name to weight file: zip, legacy and safetensors."""
        from safetensors.torch import save

        zipped, training = io.BytesIO(), io.BytesIO()
        torch.save(self.checkpoint, zipped)
        state = {'message_hub': {}, 'optimizer': {'state': {}, 'param_groups': []}}
        torch.save({**self.checkpoint, **state}, training)
        tensors = {k: v.contiguous() for k, v in self.checkpoint['state_dict'].items()}
        return {
            'zip.pth': zipped.getvalue(),
            'training.pth': training.getvalue(),
            'legacy.pth': self._legacy(),
            'plain.safetensors': save(tensors, {'broken': '{'}),
        }

    def _legacy(self) -> bytes:
        """A file as torch wrote it before 1.6, the same in every process.

        It names storages by their addresses: all tensors share one storage, whose
        name is replaced.
        """
        content = self.checkpoint
        state = {k: v.float() for k, v in content['state_dict'].items()}
        flat = torch.cat([tensor.flatten() for tensor in state.values()])
        parts = flat.split([tensor.numel() for tensor in state.values()])
        content['state_dict'] = {
            name: part.view(tensor.shape)
            for part, (name, tensor) in zip(parts, state.items(), strict=True)
        }
        buffer = io.BytesIO()
        torch.save(content, buffer, _use_new_zipfile_serialization=False)
        name = str(flat.untyped_storage()._cdata).encode()
        old = b'X' + len(name).to_bytes(4, 'little') + name
        return buffer.getvalue().replace(old, b'X\1\0\0\0' + b'0')

    @cached_property
    def exported(self) -> bytes:
        """An ONNX file of the tiny network."""
        from sctnet.deploy.export import build_onnx, describe

        return build_onnx(self.model, describe(self.model))

    @cached_property
    def streets(self) -> Path:
        """Two training and two validation scenes."""
        from sctnet.datasets.street_scenes import write_street_scenes

        root = self.folder / 'streets'
        return write_street_scenes(root, num_train=2, num_val=2, size=(256, 128))

    @cached_property
    def configs(self) -> dict[str, str]:
        """Path below configs/ to text, of leaves and bases."""
        root = REPOSITORY / 'configs'
        return {
            str(path.relative_to(root)): path.read_text(encoding='utf-8')
            for path in sorted(root.rglob('*.py'))
        }


def _save(picture: Image.Image, suffix: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    kind = {'.jpg': 'JPEG', '.tiff': 'TIFF'}.get(suffix, suffix[1:].upper())
    picture.save(buffer, kind, **options)
    return buffer.getvalue()
