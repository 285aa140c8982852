"""Converting data sets of other formats to folders of images and label maps.

What is made is ``images/{train,val}/NAME.ext`` beside ``labels/{train,val}/NAME.png``
with one class index a pixel, 255 to ignore: what ``FolderDataset`` reads.
"""

from .converter import Converted, convert

__all__ = ['Converted', 'convert']
