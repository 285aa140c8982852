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
        'write label maps that hold class indices, by sctnet convert masks --map if '
        'theirs mean something',
    ),
    'masks of 0 and 255': (
        True,
        'masks as pictures, where 255 is to ignore',
        'write 1 in the place of 255: sctnet convert masks --map 0:0,255:1',
    ),
    'class without a pixel': (
        True,
        'a class that no label map of the training shows',
        'label it in some images, or number the others without it: sctnet convert '
        'masks --map OLD:NEW,... --classes NAMES',
    ),
    'nearly black images': (
        True,
        'most images show the network hardly more than one value',
        'of more than 8 bits, run sctnet new, whose configs read all of them; else set '
        'mean and std as proposed; of one value alone, export them again',
    ),
    'bands not read': (
        True,
        'bands or numbers that the config does not take',
        'run sctnet new, whose configs read what the files hold, or correct bands of '
        'LoadBands and in_channels of the backbone',
    ),
    'not finite': (
        True,
        'numbers that are not finite, such as NaN',
        'write numbers in their place, such as the mean, and label them to ignore',
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
    'turned image': (
        True,
        'an image is turned by its orientation tag, the label map is not',
        'take the tag from the image, and leave its pixels as they are',
    ),
    'size mismatch': (
        True,
        'image and label map differ in size',
        'export both at one size; label maps without interpolation',
    ),
    'labels outside': (
        True,
        'values that are neither a class nor to ignore',
        'say what they mean by sctnet convert masks --map OLD:NEW,..., or correct '
        'classes and reduce_zero_label',
    ),
    'in two parts': (
        True,
        'the same picture in two of training, validation and test',
        'take it out of one: what was learnt with it is measured on it',
    ),
    'near duplicate': (
        False,
        'nearly the same picture in two sets',
        'take one of them out; or put the images of all sets into one folder, their '
        'label maps likewise, and share them out by sctnet convert masks --group, so '
        'that the frames of a scene stay together',
    ),
    'perhaps masks of 0 and 255': (
        False,
        'some masks as pictures, where 255 is to ignore',
        'where 255 is an object, write its class instead',
    ),
    'perhaps shifted': (
        False,
        'labels that may be shifted by one',
        'look at some label maps beside the class names',
    ),
    'perhaps turned': (
        False,
        'an image that its orientation tag turns, and perhaps not its label map',
        'look at it (--html): where labels do not lie on the picture, take the tag '
        'from the image, and leave its pixels as they are',
    ),
    'flat image': (
        False,
        'constant, nearly black, or hardly more than one value',
        'export it again, or leave it out with its label map',
    ),
    'bits or bands lost': (
        False,
        'more bits or bands than the config reads',
        'run sctnet new, whose configs read all of them',
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
        'a class that no label map of the set shows',
        'share the images out again if others show it; there is no figure for it',
    ),
}


def split_of(part: str) -> str:
    """Return ``'train'`` of ``'train 2'``, the name of a data set."""
    return part.partition(' ')[0]


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
