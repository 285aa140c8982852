import mmseg.apis
import pytest
from mmseg.models.segmentors import EncoderDecoder

from sctnet.benchmark import images
from sctnet.benchmark.cases import Case
from sctnet.benchmark.stages import STAGES
from sctnet.deploy.runtimes import is_installed

CASE = Case('sctnet-s-ade', 'mmseg', 'kept', 1, (64, 80))
SMALL = (128, 128)  # what the test pipeline makes of an image, at most


@pytest.fixture
def small_pipeline(monkeypatch):
    """Networks see images of 128 pixels, not of 512."""
    bare_config = images.bare_config

    def bare_small_config(entry):
        cfg = bare_config(entry)
        cfg.test_pipeline[1]['scale'] = SMALL
        return cfg

    monkeypatch.setattr(images, 'bare_config', bare_small_config)


def test_mmseg_and_ours_label_alike_and_every_stage_is_timed(small_pipeline):
    backends = ['mmseg', 'torch']
    backends += ['onnxruntime'] if is_installed('onnxruntime') else []
    labels = []
    for backend in backends:
        contender = images.image_contender(CASE._replace(backend=backend), 'cpu')
        contender.call()
        labels.append(contender.labels())
        seconds = contender.stopwatch.seconds
        assert list(seconds) == list(STAGES)
        assert all(value > 0 for value in seconds.values()), backend
        assert seconds['rest'] < 0.5 * sum(seconds.values()), backend
        assert contender.input_size == (102, 128)
    assert all(x.shape == (1, 64, 80) for x in labels)
    assert len(labels[0].unique()) > 1
    assert all((x == labels[0]).double().mean() > 0.999 for x in labels)


def test_the_baseline_is_mmsegs_own(small_pipeline, monkeypatch):
    seen = []
    untouched = mmseg.apis.inference_model

    def inference_model(model, image):
        seen.append(type(model))
        return untouched(model, image)

    monkeypatch.setattr(mmseg.apis, 'inference_model', inference_model)
    images.image_contender(CASE, 'cpu').call()
    assert seen == [EncoderDecoder]


def test_a_batch_is_a_list_of_images(small_pipeline):
    for backend in ('mmseg', 'torch'):
        case = CASE._replace(backend=backend, batch=3)
        contender = images.image_contender(case, 'cpu')
        contender.call()
        assert contender.labels().shape == (1, 64, 80)


def test_stages_of_a_peer_that_cannot_be_fused():
    model = images.build_model(images.entries()['pidnet-s'])
    pieces = images._our_pieces(model)
    before, network, after, _ = STAGES
    assert [(piece.name, piece.stage) for piece in pieces] == [
        *((name, before) for name in ('_decode', 'ImagePreprocessor', '__call__')),
        *((name, network) for name in ('extract_feat', 'forward')),
        *((name, after) for name in ('predict_by_feat', 'postprocess_result')),
    ]
