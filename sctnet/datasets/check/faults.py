"""The kinds of faults, and what to do about each."""

from dataclasses import dataclass

# In the order of reports. Kind: whether training fails or learns nonsense by it, what
# it is, the remedy.
KINDS: dict[str, tuple[bool, str, str]] = {
    'shifted labels': (
        True,
        'labels shifted by one',
        'correct reduce_zero_label as said',
    ),
    'one label too many': (
        True,
        'labels that run one past the classes',
        'correct classes or reduce_zero_label as said',
    ),
    'nothing labelled': (
        True,
        'label maps without a pixel of any class',
        'correct reduce_zero_label, or write label maps that hold class indices',
    ),
    'masks of 0 and 255': (
        True,
        'masks as pictures, where 255 is to ignore',
        'write 1 in the place of 255',
    ),
    'no images': (
        True,
        'a folder without a single image',
        'put images there, or correct the folder in the config',
    ),
    'missing image': (True, 'listed but not there', 'restore the file or its entry'),
    'missing label map': (
        True,
        'an image without its label map',
        'add the label map, or move the image elsewhere',
    ),
    'broken image': (True, 'unreadable or cut off', 'copy or export the file again'),
    'broken label map': (True, 'unreadable or cut off', 'copy or export it again'),
    'colour label map': (
        True,
        'colours where one class index a pixel is expected',
        'run sctnet convert colours',
    ),
    'size mismatch': (
        True,
        'image and label map differ in size',
        'export both at one size; label maps without interpolation',
    ),
    'labels outside': (
        True,
        'values that are neither a class nor to ignore',
        'convert the label maps, or correct classes and reduce_zero_label',
    ),
    'in train and val': (
        True,
        'the same picture in both sets',
        'take it out of one: a validation on it measures nothing',
    ),
    'perhaps shifted': (
        False,
        'labels that may be shifted by one',
        'look at some label maps beside the class names',
    ),
    'label map alone': (
        False,
        'a label map without its image',
        'add the image, or move the label map elsewhere',
    ),
    'empty label map': (
        False,
        'no pixel of any class',
        'label the image, or leave it out',
    ),
    'twice': (False, 'the same picture twice in one set', 'keep one of them'),
    'class never seen': (
        False,
        'a class without a pixel',
        'check the order of classes, or drop the class',
    ),
}


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong.

    Attributes:
        kind: one of ``KINDS``.
        part: ``'train'``, ``'val'``, ``'test'`` or several.
        path: the file, or what else it concerns.
        detail: in a few words, what was found.
    """

    kind: str
    part: str
    path: str
    detail: str

    @property
    def serious(self) -> bool:
        """Whether training fails or learns nonsense by it; else it is a warning."""
        return KINDS[self.kind][0]

    @property
    def remedy(self) -> str:
        """What to do about it."""
        return KINDS[self.kind][2]

    def __str__(self) -> str:
        return f"{self.kind}: '{self.path}' ({self.detail})"
