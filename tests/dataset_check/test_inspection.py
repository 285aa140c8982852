"""What one label map is read to, and what is wrong with it."""

from own_folder import claim_size, label_path, write_own_data

from sctnet.datasets.check.inspection import read_labels
from sctnet.datasets.images import MAX_PIXELS


def test_a_label_map_that_claims_too_much_is_not_decoded(tmp_path):
    path = label_path(write_own_data(tmp_path / 'rooms'), 'train', 0)
    claim_size(path, 20_000, 20_000)
    assert read_labels(str(path)) == f'claims more than {MAX_PIXELS:,} pixels'
