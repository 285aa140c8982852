"""The data set of a folder: images of any format beside label maps of the same names.

mmseg's own data set takes one suffix for all images; a folder of one's own has JPEGs
and PNGs side by side.
"""

import os
from pathlib import Path
from typing import Any

from mmseg.datasets import BaseSegDataset
from mmseg.registry import DATASETS

from ...errors import DataError
from ...files import find_files
from ..images import SUFFIXES


@DATASETS.register_module()
class FolderDataset(BaseSegDataset):
    """Pairs ``images/train/a/b.jpg`` with ``labels/train/a/b.png``.

    The two folders are those of ``data_prefix``, read with all folders below them.
    Label maps hold one class index a pixel, and ``ignore_index`` where a pixel counts
    nothing.

    Args:
        img_suffix: which images to take; by default all formats that can be read.
        **kwargs: as for mmseg's ``BaseSegDataset``; ``metainfo`` names the classes.

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
                "the data set's folder (own_data.root)"
            )
        if self.data_prefix.get('seg_map_path') is not None:
            _check_partners(pairs)
        return pairs

    def list_pairs(self) -> list[dict]:
        """List the pairs, also those whose label map is not there.

        Raises:
            DataError: there is no such folder or list, a listed image is not there, or
                two images would share a label map.
        """
        images = Path(self.data_prefix.get('img_path') or '.')
        labels = self.data_prefix.get('seg_map_path')
        found: dict[Path, Path] = {}
        pairs = []
        for image in self._images(images):
            info: dict[str, Any] = {'img_path': str(image)}
            if labels is not None:
                relative = image.relative_to(images)
                name = relative.with_name(relative.stem + self.seg_map_suffix)
                if name in found:
                    raise DataError(
                        f"'{found[name]}' and '{image}' would share one label map, "
                        f"'{name}': give one of them another name"
                    )
                found[name] = image
                info['seg_map_path'] = str(Path(labels) / name)
            info['label_map'] = self.label_map
            info['reduce_zero_label'] = self.reduce_zero_label
            info['seg_fields'] = []
            pairs.append(info)
        return pairs

    def _images(self, folder: Path) -> list[Path]:
        """All images, or those whose names without suffix ``ann_file`` lists."""
        images = find_files(folder, self.img_suffix)
        if not self.ann_file:
            return images
        try:
            lines = Path(self.ann_file).read_text(encoding='utf-8').splitlines()
        except (OSError, UnicodeError) as error:
            raise DataError(
                f"the list '{self.ann_file}' cannot be read ({error}): correct ann_file"
            ) from error
        known = {
            str(image.relative_to(folder).with_suffix('')): image for image in images
        }
        names = [line.strip() for line in lines if line.strip()]
        missing = [name for name in names if name not in known]
        if missing:
            raise DataError(
                f"'{self.ann_file}' lists {len(missing)} images that are not in "
                f"'{folder}', the first '{missing[0]}': correct the list (names "
                'without suffix)'
            )
        return [known[name] for name in names]


def _check_partners(pairs: list[dict]) -> None:
    missing = [pair for pair in pairs if not os.path.isfile(pair['seg_map_path'])]
    if missing:
        first = missing[0]
        raise DataError(
            f'{len(missing)} of {len(pairs)} images have no label map, the first '
            f"'{first['img_path']}' (looked for '{first['seg_map_path']}'): add label "
            'maps, or move these images elsewhere'
        )
