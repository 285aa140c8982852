"""What one label map is read to, and what is wrong with it."""

import struct
import zlib

from own_folder import label_path, write_own_data

from sctnet.dataset_check.inspection import read_labels
from sctnet.images import MAX_PIXELS


def test_a_label_map_that_claims_too_much_is_not_decoded(tmp_path):
    path = label_path(write_own_data(tmp_path / 'rooms'), 'train', 0)
    data = path.read_bytes()
    header = b'IHDR' + struct.pack('>II', 20_000, 20_000) + data[24:29]
    check_sum = struct.pack('>I', zlib.crc32(header))
    path.write_bytes(data[:12] + header + check_sum + data[33:])
    assert read_labels(str(path)) == f'claims more than {MAX_PIXELS:,} pixels'
