import mmseg.apis
import pytest
from mmseg.models.segmentors import EncoderDecoder

from sctnet.benchmark import image
from sctnet.benchmark.case import Case
from sctnet.benchmark.image import STAGES
from sctnet.compat.optional_packages import is_installed

pytestmark = pytest.mark.slow

CASE = Case('sctnet-s-ade', 'mmseg', 1, (64, 80))
SMALL = (128, 128)  # what the test pipeline makes of an image, at most


@pytest.fixture
def small_pipeline(monkeypatch):
    """Networks see images of 128 pixels, not of 512."""
    bare_config = image.bare_config

    def bare_small_config(entry):
        cfg = bare_config(entry)
        cfg.test_pipeline[1]['scale'] = SMALL
        return cfg

    monkeypatch.setattr(image, 'bare_config', bare_small_config)


def test_mmseg_and_ours_label_alike_and_every_stage_is_timed(
    small_pipeline, monkeypatch
):
    baselines, labels = [], []
    untouched = mmseg.apis.inference_model

    def inference_model(model, picture):
        baselines.append(type(model))
        return untouched(model, picture)

    monkeypatch.setattr(mmseg.apis, 'inference_model', inference_model)
    backends = ['mmseg', 'torch']
    backends += ['onnxruntime'] if is_installed('onnxruntime') else []
    for backend in backends:
        contender = image.image_contender(CASE._replace(backend=backend), 'cpu')
        contender.stopwatch()
        labels.append(contender.labels())
        seconds = contender.stopwatch.seconds
        assert list(seconds) == list(STAGES)
        assert all(value > 0 for value in seconds.values()), backend
        assert seconds['rest'] < 0.5 * sum(seconds.values()), backend
        assert contender.input_size == (102, 128)
    assert baselines == [EncoderDecoder]  # mmseg's own, and only in its row
    assert all(x.shape == (1, 64, 80) for x in labels)
    assert len(labels[0].unique()) > 1
    assert all((x == labels[0]).double().mean() > 0.999 for x in labels)


def test_a_batch_is_a_list_of_images(small_pipeline):
    case = CASE._replace(backend='torch', batch=3)
    contender = image.image_contender(case, 'cpu')
    contender.call()
    assert contender.labels().shape == (1, 64, 80)
