"""How each block of code in the documentation is exercised.

For each page: a piece of text that one block alone contains, and what is done with it.
Whatever that is, Python must compile and its imports resolve, and commands of ours must
pass their own parsers, with configs that load and keys that exist.
"""

from collections.abc import Callable
from typing import NamedTuple

from doc_materials import calibration_images, student, training_batch


class Run(NamedTuple):
    """Run in the page's folder; ``needs`` adds files, ``given`` names for Python."""

    needs: tuple[Callable, ...] = ()
    given: Callable | None = None


class Same(NamedTuple):
    """The same text runs on another page."""

    page: str


class Elsewhere(NamedTuple):
    """Another test runs it, or what it starts."""

    test: str  # FILE::NAME below tests/


class Only(NamedTuple):
    """Only checked, for a reason."""

    reason: str


GPUS = Only('needs several processes, a cluster or a GPU')
INSTALL = Only('installs packages')
MINUTES = Only('takes minutes')
CAMERA = Only('needs a camera')
DEPLOYMENT, TRAINING = Same('docs/deployment.md'), Same('docs/training.md')
BENCHMARK = Elsewhere('benchmark/test_benchmark_tool.py::test_')
OWN_DATA = Elsewhere(
    'datasets/own/test_own_data_guide.py::test_teacher_then_student_are_trained_and_tested'
)

PRETRAINING = Elsewhere(
    'imagenet_pretraining/test_pretraining_docs.py::test_commands_parse_and_name'
)
REPORTS = Elsewhere('test_reports_page.py::test_commands_run_one_after_the_other')
CONVERTING = Elsewhere(
    'datasets/convert/test_converting_guide.py::test_a_command_of_the_page_does_what_it_says'
)
WEB = Elsewhere('web_demo/test_web_page.py::test_')

BLOCKS = {
    'README.md': {
        'make demo': MINUTES,
        "pip install -c constraints.txt torch '.[lite": INSTALL,
        'names = result.metainfo': Run((student,)),
        'infer.py street.png --config sctnet-s-seg50': DEPLOYMENT,
        'web_demo/app.py': WEB,
        'export.py sctnet-s-seg50': DEPLOYMENT,
        'make_street_scenes.py': TRAINING,
        'own_data.student_s': OWN_DATA,
        'check_dataset.py my_student.py': OWN_DATA,
        'my_student/best.pth --out-dir': OWN_DATA,
        'mim test sctnet sctnet_s': Run((student,)),
        'prepare_dataset.py ade20k': CONVERTING,
    },
    'docs/index.md': {
        "'.[lite,mim,onnx]'": INSTALL,
        'make demo': MINUTES,
        'init_model(': Same('README.md'),
    },
    'docs/benchmarks.md': {'benchmark.py network': BENCHMARK},
    'docs/configs.md': {
        'short_names()': Run(),
        'sdha_logits=5.0': Run(),
        'crop_size': Run(),
    },
    'docs/contributing.md': {
        'make setup': MINUTES,
        'python -m pytest': Only('runs these tests'),
        'mkdocs build': Elsewhere('docs/test_docs_site.py::test_site_builds_strictly'),
    },
    'docs/data.md': {
        'prepare_dataset.py ade20k': CONVERTING,
        'make_street_scenes.py': Run(),
        'render_street_scene': Run(),
    },
    'docs/deployment.md': {
        'confidence=True': Run((student,)),
        'threads=2': Run(),
        'deploy_graph(': Run(),
        'infer.py street.png --config': Run(),
        'infer.py drive.mp4': Run(),
        'rtsp://': CAMERA,
        'sctnet.onnx\npython': Run(),
        "init_model('sctnet.onnx')": Run(),
        'sctnet.xml': Run(),
        'camera.onnx \\': Run(),
        'InferenceSession': Run(),
        '--precision int8': Run((calibration_images,)),
        'convert_checkpoint.py': Run(),
        'benchmark.py image': BENCHMARK,
    },
    'docs/migration.md': {
        'tools/test.py': Run((student,)),
        'port_name': Run(),
    },
    'docs/converting.md': {
        'data/rooms --images': CONVERTING,
        '--background ignore': CONVERTING,
        'labelme rooms_labelme': CONVERTING,
        'colours rooms_colours': CONVERTING,
        'voc VOCdevkit': CONVERTING,
        'from sctnet.datasets.convert import': Elsewhere(
            'datasets/convert/test_converting_guide.py::test_the_python_of_the_page_runs'
        ),
        'prepare_dataset.py ade20k': CONVERTING,
    },
    'docs/own_data.md': {
        'own_data.teacher_b2': OWN_DATA,
        'own_data.student_s': OWN_DATA,
        'check_dataset.py': OWN_DATA,
        'mim train sctnet my_teacher.py': OWN_DATA,
        'plot_log.py': REPORTS,
    },
    'docs/pretraining.md': {
        'pip install': INSTALL,
        'make_street_crops.py': PRETRAINING,
        'torchrun': GPUS,
        'iter_125100.pth': PRETRAINING,
        'sctnet-s-seg50 --teacher': PRETRAINING,
    },
    'docs/reliability.md': {
        'tests/faults/run.py': Elsewhere('faults/test_faults.py::test_'),
    },
    'docs/reports.md': {
        'plot_log.py work_dirs/student\n': REPORTS,
        '--smooth 0.9': REPORTS,
        'mim test sctnet': REPORTS,
    },
    'docs/training.md': {
        'make_street_scenes.py': Run(),
        'model.siam.schedule=cosine': Run(),
        'segformer_b2_8xb2_160k_ade20k_512x512.py': MINUTES,
        'dist_train.sh': GPUS,
        '--resume': Run(),
        '--amp': Run(),
        'benchmark.py train': BENCHMARK,
        'plot_log.py': Run(),
        'WandbVisBackend': Run(),
        'my_streets.py --teacher': Run(),
        'tools/test.py sctnet-t-streets': Run(),
        'dist_test.sh': GPUS,
        'segmentor.loss': Run((), training_batch),
    },
}


def entry(block):
    """Return how a block is exercised.

    Raises:
        AssertionError: it stands in no entry, or in several.
    """
    fitting = {
        text: how
        for text, how in BLOCKS.get(block.page, {}).items()
        if text in block.code
    }
    assert len(fitting) == 1, (
        f'{block.place}: entries {list(fitting)} of tests/docs/doc_registry.py fit '
        f'this block, and one must:\n{block.code}'
    )
    return next(iter(fitting.values()))
