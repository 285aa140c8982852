"""SCTNet's backbone as an image classifier, for mmpretrain's parts and sctnet's loop.

Importing it needs torchvision, which mmpretrain imports without declaring it.
"""

import sctnet  # noqa: F401  before mmpretrain
