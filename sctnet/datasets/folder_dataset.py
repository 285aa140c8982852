"""The data set of a folder: images of any format beside label maps of the same names.

mmseg's own data set takes one suffix for all images; a folder of one's own has JPEGs
and PNGs side by side.
"""

import os
import unicodedata
from pathlib import Path
from typing import Any

from mmseg.datasets import BaseSegDataset
from mmseg.registry import DATASETS

from ..errors import DataError
from ..files import find_files
from .convert.pairing import find_pairs
from .images import SUFFIXES


@DATASETS.register_module()
class FolderDataset(BaseSegDataset):
    """Pairs ``images/train/a/b.jpg`` with ``labels/train/a/b.png``.

    The two folders are those of ``data_prefix``, read with all folders below them.
    Label maps hold one class index a pixel, and ``ignore_index`` where a pixel counts
    nothing. Of suffixes the case does not matter, of names the Unicode form.

    Args:
        img_suffix: which images to take; by default all formats that can be read. In
            a label map's name it is replaced by ``seg_map_suffix``.
        **kwargs: as for mmseg's ``BaseSegDataset``; ``metainfo`` names the classes,
            ``ann_file`` a list of the images to take, without suffix.

    Raises:
        DataError: there is no image, two images have the name of one label map, or an
            image has no label map.
    """

    def __init__(
        self, img_suffix: str | tuple[str, ...] = SUFFIXES, **kwargs: Any
    ) -> None:
        suffixes = (img_suffix,) if isinstance(img_suffix, str) else img_suffix
        super().__init__(img_suffix=suffixes, **kwargs)

    def load_data_list(self) -> list[dict]:
        """List the pairs, sorted by the image's path."""
        pairs = self.list_pairs()
        if not pairs:
            raise DataError(
                f"'{self.data_prefix.get('img_path')}' has no image "
                f'({", ".join(self.img_suffix)}): put images there, or correct '
                "the data set's data_root and data_prefix"
            )
        if self.data_prefix.get('seg_map_path') is not None:
            self._check_partners(pairs)
        return pairs

    def list_pairs(self) -> list[dict]:
        """List the pairs, also those whose label map is not there.

        Raises:
            DataError: there is no such folder or list, a listed image is not there, or
                two images would share a label map.
        """
        images = Path(self.data_prefix.get('img_path') or '.')
        labels = self.data_prefix.get('seg_map_path')
        there = self._label_maps(labels)
        found: dict[str, Path] = {}
        pairs = []
        for image in self._images(images):
            info: dict[str, Any] = {'img_path': str(image)}
            if labels is not None:
                key = self._name(image.relative_to(images))
                name = Path(key + self.seg_map_suffix)
                if key in found:
                    raise DataError(
                        f"'{found[key]}' and '{image}' would share one label map, "
                        f"'{name}': give one of them another name"
                    )
                found[key] = image
                info['seg_map_path'] = str(there.get(key, Path(labels) / name))
            info['label_map'] = self.label_map
            info['reduce_zero_label'] = self.reduce_zero_label
            info['seg_fields'] = []
            pairs.append(info)
        return pairs

    def _name(self, image: Path) -> str:
        """Return an image's path without its suffix, in one Unicode form."""
        path = image.as_posix()
        length = max(
            len(s) for s in self.img_suffix if path.lower().endswith(s.lower())
        )
        return unicodedata.normalize('NFC', path[:-length])

    def _label_maps(self, labels: str | None) -> dict[str, Path]:
        """Return those that are there, by name; rather ``a.png`` than ``a.PNG``."""
        if labels is None or not os.path.isdir(labels):
            return {}
        suffix = self.seg_map_suffix
        files = find_files(Path(labels), suffix)
        files.sort(key=lambda file: file.name.endswith(suffix))
        names = (file.relative_to(labels).as_posix() for file in files)
        forms = (unicodedata.normalize('NFC', name)[: -len(suffix)] for name in names)
        return dict(zip(forms, files, strict=True))

    def _images(self, folder: Path) -> list[Path]:
        """All images, or those whose names without suffix ``ann_file`` lists."""
        images = find_files(folder, self.img_suffix)
        if not self.ann_file:
            return images
        try:
            lines = Path(self.ann_file).read_text(encoding='utf-8-sig').splitlines()
        except (OSError, UnicodeError) as error:
            raise DataError(
                f"the list '{self.ann_file}' cannot be read ({error}): correct ann_file"
            ) from error
        known = {self._name(image.relative_to(folder)): image for image in images}
        listed = (unicodedata.normalize('NFC', line.strip()) for line in lines)
        names = [name for name in listed if name]
        missing = [name for name in names if name not in known]
        if missing:
            raise DataError(
                f"'{self.ann_file}' lists {len(missing)} images that are not in "
                f"'{folder}', the first '{missing[0]}': correct the list (names "
                'without suffix)'
            )
        return [known[name] for name in names]

    def _check_partners(self, pairs: list[dict]) -> None:
        missing = [pair for pair in pairs if not os.path.isfile(pair['seg_map_path'])]
        if missing:
            image, labels = missing[0]['img_path'], missing[0]['seg_map_path']
            hint = self.likely_partners().get(image, '')
            raise DataError(
                f'{len(missing)} of {len(pairs)} images have no label map, the first '
                f"'{image}' (looked for '{labels}'{hint}): add label maps, or move "
                'these images elsewhere'
            )

    def likely_partners(self) -> dict[str, str]:
        """Say, by image, which label map belongs to it as people name things."""
        images, labels = (self.data_prefix[key] for key in ('img_path', 'seg_map_path'))
        try:
            found = find_pairs(Path(images), Path(labels)).pairs
        except DataError:  # two images might share one
            return {}
        return {
            str(image): f" and found '{labels}': name it alike, or set img_suffix and "
            'seg_map_suffix'
            for image, labels, _ in found
        }
