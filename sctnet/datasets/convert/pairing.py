"""Which mask belongs to which image, by folders and names as people have them.

A file's folders say whether it is a mask (``masks``, ``trainannot``), or its name does
(``x_mask.png``, ``gt_0001.png``), or that it is the PNG beside a JPEG. Image and mask
are a pair if their paths agree without these folders, and their names without what all
names of their kind begin or end with.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...errors import DataError
from ...files import find_files
from ..images import LOSSY, SUFFIXES
from .annotation_files import LOSSLESS, is_lossy
from .splits import part_of

# Words in the names of folders, such as train_images and SegmentationClass.
IMAGE_WORDS = {
    *('images', 'image', 'imgs', 'img', 'jpegimages', 'photos', 'rgb', 'inputs'),
    *('input', 'leftimg8bit', 'pictures'),
}
MASK_WORDS = {
    *('masks', 'mask', 'labels', 'label', 'annotations', 'annotation', 'gt', 'gts'),
    *('segmentationclass', 'segmentation', 'truth', 'groundtruth', 'targets', 'seg'),
    *('gtfine', 'labelmaps', 'annots', 'annot', 'ann', 'indexmasks', 'trimaps'),
    *('semantic', 'instance'),
}
# Beside one of them, as in KITTI's image_2.
_FILLERS = {'dir', 'ground', 'png', 'class', 'raw', 'color', 'colour', '2'}
_MASK_AFFIX = re.compile(
    r'^(?:(?:mask|gt|label|seg|annotation)s?[-_. ](?P<after>.+)'
    r'|(?P<before>.+?)[-_. ](?:mask|gt|label|labels|masks|seg|segmentation|annotation'
    r'|annot|l|(?:gtfine[-_])?(?:labelids|labeltrainids)|groundtruth))$',
    re.IGNORECASE,
)
_IMAGE_AFFIX = re.compile(
    r'^(?:(?:image|img|photo|rgb)[-_. ](?P<after>.+)'
    r'|(?P<before>.+)[-_. ](?:image|img|sat|rgb|leftimg8bit))$',
    re.IGNORECASE,
)
Key = tuple[str, str]  # folders and name, in one Unicode form and small letters


@dataclass
class Pairs:
    """What was found.

    Attributes:
        pairs: image, its mask, and the image's path without words for its kind.
        images: those without a mask.
        masks: those without an image.
        more: of a mask, those of further objects, such as ``a_mask_1.png``.
    """

    pairs: list[tuple[Path, Path, Path]] = field(default_factory=list)
    images: list[Path] = field(default_factory=list)
    masks: list[Path] = field(default_factory=list)
    more: dict[Path, list[Path]] = field(default_factory=dict)


def find_pairs(source: Path, masks: Path | None = None) -> Pairs:
    """Pair the images below a folder with the masks below it, or below another.

    Args:
        source: folder of the images.
        masks: that of the masks; where it is not there, those of its name in the parts.

    Raises:
        DataError: a folder is not there, or one mask fits two images.
    """
    if masks is None or masks.resolve() == source.resolve():
        files = find_files(source, tuple({*SUFFIXES, *LOSSLESS}))
        images, labels = _tell_apart(source, files)
    else:
        roots = {masks: masks}
        if not masks.exists() and masks.parent in (Path(), source):
            named = sorted(path for path in source.rglob(masks.name) if path.is_dir())
            alone = [path.parent for path in named] == [source]
            roots = dict.fromkeys(named, named[0] if alone else source) or roots
        known = {file.resolve() for root in roots for file in find_files(root, '')}
        files = [f for f in find_files(source, SUFFIXES) if f.resolve() not in known]
        # Masks of another kind may lie there, too.
        pictures = [file for file in files if not is_mask(source, file)] or files
        images = {file: _folders(source, file) for file in pictures}
        labels = {
            file: _folders(root, file)
            for folder, root in roots.items()
            for file in find_files(folder, tuple({*LOSSLESS, *LOSSY}))
        }
    found = _match(images, labels)
    nested = [any(folder.parts for folder in of.values()) for of in (images, labels)]
    if not found.pairs and nested[0] != nested[1]:  # their names have to do
        found = _match(dict.fromkeys(images, Path()), dict.fromkeys(labels, Path()))
        found.pairs = [(i, m, images[i] / labels[m] / n) for i, m, n in found.pairs]
    return found


def _folders(root: Path, file: Path) -> Path:
    """Return the folders of a file, without words for its kind, parts by one name."""
    kept = []
    for folder in file.relative_to(root).parts[:-1]:
        words = folder_words(folder)
        plain = [word for word in words if word not in IMAGE_WORDS | MASK_WORDS]
        if len(plain) < len(words):
            plain = [word for word in plain if word not in _FILLERS]
            folder = '_'.join(plain)
        kept += [part_of(folder) or folder] if folder else []
    return Path(*kept)


def folder_words(folder: str) -> list[str]:
    """Return the words of a folder's name, in small letters."""
    small = re.sub('(?<=.)annot$', '_annot', folder.lower())  # CamVid's trainannot
    return [word for word in re.split('[-_. ]+', small) if word]


def is_mask(root: Path, file: Path) -> bool:
    """Whether the deepest folder with a word for a kind says that it is a mask."""
    return mask_folder(root, file) is not None


def mask_folder(root: Path, file: Path) -> Path | None:
    """Return the deepest folder with a word for a kind, if that is for masks."""
    for folder in file.relative_to(root).parents[:-1]:
        words = {*folder_words(folder.name)}
        if words & (MASK_WORDS | IMAGE_WORDS):
            return root / folder if words & MASK_WORDS else None
    return None


def _tell_apart(
    root: Path, files: Sequence[Path]
) -> tuple[dict[Path, Path], dict[Path, Path]]:
    """Return images and masks, each with its folders."""
    by_folder = {file: is_mask(root, file) for file in files}
    if len({*by_folder.values()}) < 2:
        stems = {file: _plain(file.stem) for file in files}
        known = {*stems.values()}
        known |= {_without_affix(stem, _IMAGE_AFFIX) or stem for stem in known}
        for file in files:
            by_folder[file] = _without_affix(stems[file]) in known
        if not any(by_folder.values()):
            lossy = {file.with_suffix('') for file in files if is_lossy(file)}
            for file in files:
                by_folder[file] = not is_lossy(file) and file.with_suffix('') in lossy
    folders = {file: _folders(root, file) for file in files}
    return (
        {file: folders[file] for file, mask in by_folder.items() if not mask},
        {file: folders[file] for file, mask in by_folder.items() if mask},
    )


def _plain(text: str) -> str:
    return unicodedata.normalize('NFC', text).casefold()


def _without_affix(stem: str, affix: re.Pattern[str] = _MASK_AFFIX) -> str | None:
    return (match := affix.match(stem)) and (match['after'] or match['before'])


def _match(images: dict[Path, Path], masks: dict[Path, Path]) -> Pairs:
    """Pair by the ways to read names under which most agree."""
    best, ours = dict[Key, Path](), dict[Key, Path]()
    for image_name in _ways(images):
        for mask_name in _ways(masks):
            keyed, mine = _keyed(masks, mask_name), _keyed(images, image_name)
            if not keyed or not mine:
                continue
            if len(keyed.keys() & mine.keys()) > len(best.keys() & ours.keys()):
                best, ours = keyed, mine
    found = Pairs()
    for key in sorted(best.keys() & ours.keys()):
        image = ours[key]
        found.pairs.append((image, best[key], images[image] / image.name))
    paired = {file for pair in found.pairs for file in pair[:2]}
    first = {m.with_suffix(''): m for _, m, _ in found.pairs if _without_affix(m.stem)}
    for file in sorted({*images, *masks} - paired):
        mask = first.get(file.with_name(re.sub('[-_. ][0-9]+$', '', file.stem)))
        if mask is not None and mask.stem != file.stem:
            found.more.setdefault(mask, []).append(file)
            paired.add(file)
    found.images = [image for image in images if image not in paired]
    found.masks = [mask for mask in masks if mask not in paired]
    _check_doubles(found, ours, images)
    return found


def _check_doubles(found: Pairs, ours: dict[Key, Path], images: Mapping) -> None:
    """See that no left image has the name of a paired one, in another format."""
    known = {(images[file], file.stem): file for file in ours.values()}
    for file in found.images:
        other = known.get((images[file], file.stem), file)
        if other != file:
            raise DataError(
                f"'{other}' and '{file}' would share one mask: rename one of them"
            )


def _keyed(
    files: dict[Path, Path], name: Callable[[str], str]
) -> dict[Key, Path] | None:
    """Return the files by folder and name; None if two have one name.

    Of a lossless and a lossy file of one name, the lossless one.
    """
    found: dict[Key, Path] = {}
    for file, folder in files.items():
        key = _plain(folder.as_posix()), name(_plain(file.stem))
        other = found.get(key)
        if other is None or (is_lossy(other) and not is_lossy(file)):
            found[key] = file
        elif is_lossy(file) == is_lossy(other):
            return None
    return found


def _ways(files: Iterable[Path]) -> list[Callable[[str], str]]:
    """Return ways to read names: as they are, or without what does not matter."""
    stems = [_plain(file.stem) for file in files]
    begin = _common_beginning(stems)
    end = _common_beginning([stem[::-1] for stem in stems])[::-1]
    return [
        lambda stem: stem,
        lambda stem: _without_affix(stem) or stem,
        lambda stem: _without_affix(stem, _IMAGE_AFFIX) or stem,
        lambda stem: stem.removeprefix(begin).removesuffix(end) or stem,
    ]


def _common_beginning(stems: Sequence[str]) -> str:
    """Return the words that all names begin with, up to the first digit.

    Numbers tell files apart, also where all in a folder have the same.
    """
    if len(stems) < 2:
        return ''
    first, last = min(stems), max(stems)  # all others agree where these do
    count = next((i for i, c in enumerate(first) if c != last[i]), len(first))
    common = re.split('[0-9]', first[:count])[0]
    rest = {stem[len(common) : len(common) + 1] for stem in stems}
    if common and all(one.isdigit() for one in rest):
        return common
    place = max((common.rfind(mark) for mark in '-_. '), default=-1)
    return common[: place + 1]
