"""Converting data sets of other formats to folders of images and label maps.

What is made is ``images/{train,val}/NAME.ext`` beside ``labels/{train,val}/NAME.png``
with one class index a pixel, 255 to ignore: what ``FolderDataset`` reads.
"""

from .converted import Converted
from .converter import convert

__all__ = ['Converted', 'convert']
