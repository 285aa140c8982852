"""How the page looks, and which control calls what."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import gradio as gr
from handlers import Handlers, Live
from session import Choice, Session, backend_names, student_names
from viewer import template

from sctnet.datasets.images import SUFFIXES

ABOUT = (
    '# SCTNet\n'
    'Real-time semantic segmentation by a single-branch network. Everything runs on '
    'this machine.'
)
CSS = """
h1 { margin-bottom: 0 !important; }
.gradio-container { width: 100%; max-width: 1280px !important; margin: 0 auto; }
footer { display: none !important; }
"""
WEIGHT_FILES = ['.pth', '.safetensors', '.onnx']


def theme() -> gr.themes.Base:
    """Gradio's default look in fonts that the visitor's system has."""
    return gr.themes.Default(
        primary_hue=gr.themes.colors.teal,
        neutral_hue=gr.themes.colors.slate,
        font=('ui-sans-serif', 'system-ui', 'sans-serif'),
        font_mono=('ui-monospace', 'Consolas', 'monospace'),
    )


class Inputs(NamedTuple):
    """The controls on the left."""

    tabs: dict[str, gr.Tab]
    image: gr.File
    webcam: gr.Image
    video: gr.Video
    opacity: gr.Slider
    max_frames: gr.Number
    start: gr.Button
    stop: gr.Button


class Outputs(NamedTuple):
    """What is on the right."""

    viewer: gr.HTML
    video_column: gr.Column
    video: gr.Video
    video_line: gr.Markdown


def build_page(
    session: Session, first: Choice, examples: Sequence[Path], video_dir: Path
) -> gr.Blocks:
    """Build the page.

    Args:
        session: the models.
        first: what is chosen at the start.
        examples: image files to try.
        video_dir: folder of the videos that are made.
    """
    with gr.Blocks(title='SCTNet', analytics_enabled=False, fill_width=True) as page:
        gr.Markdown(ABOUT)
        with gr.Row():
            with gr.Column(scale=4, min_width=340):
                inputs = _inputs(examples)
                choice = _choice(first, session.weights_note())
            with gr.Column(scale=7, min_width=420):
                outputs = _outputs()
        _connect(Handlers(session, video_dir), inputs, choice, outputs)
    return page


def _inputs(examples: Sequence[Path]) -> Inputs:
    with gr.Tabs():
        with gr.Tab('Image') as image_tab:
            # Gradio's Image opens what it gets, and what it cannot open is no sentence.
            image = gr.File(
                label='Image', file_types=list(SUFFIXES), height=160, elem_id='image'
            )
            scenes = gr.Dataset(
                label='Or a street scene', components=[gr.Image(render=False)],
                samples=[[str(path)] for path in examples], type='index',
                elem_id='scenes',
            )  # fmt: skip
            scenes.click(lambda n: str(examples[n]), scenes, image, queue=False)
        with gr.Tab('Webcam') as webcam_tab:
            webcam = gr.Image(
                sources=['webcam'], streaming=True, height=280, show_label=False,
                elem_id='webcam', buttons=[],
            )  # fmt: skip
        with gr.Tab('Video') as video_tab:
            video = gr.Video(
                sources=['upload'], height=210, show_label=False, elem_id='video',
                buttons=[],
            )  # fmt: skip
            with gr.Row():
                opacity = gr.Slider(0, 1, 0.5, step=0.05, label='Opacity', buttons=[])
                max_frames = gr.Number(
                    300, label='Frames at most (0: all)', precision=0, minimum=0
                )
            with gr.Row():
                start = gr.Button('Segment the video', variant='primary')
                stop = gr.Button('Stop')
    tabs = {'image': image_tab, 'webcam': webcam_tab, 'video': video_tab}
    return Inputs(tabs, image, webcam, video, opacity, max_frames, start, stop)


def _choice(first: Choice, note: str) -> list[gr.components.Component]:
    models = student_names()
    if first.model not in models:
        models.insert(0, first.model)
    model = gr.Dropdown(
        models, value=first.model, label='Model', info=note, elem_id='model'
    )
    backend = gr.Radio(
        backend_names(), value=first.backend, label='Backend', elem_id='backend'
    )
    weights = gr.File(
        label='Other weights of that model (.pth, .safetensors, .onnx)', height=160,
        file_types=WEIGHT_FILES, elem_id='weights',
    )  # fmt: skip
    return [model, backend, weights]


def _outputs() -> Outputs:
    viewer = gr.HTML(
        html_template=template('html'),
        css_template=template('css'),
        js_on_load=template('js'),
        elem_id='viewer',
        apply_default_css=False,
    )
    with gr.Column(visible='hidden') as video_column:
        video = gr.Video(
            show_label=False, interactive=False, elem_id='result', buttons=['download']
        )
        line = gr.Markdown(elem_id='video-line')
    return Outputs(viewer, video_column, video, line)


def _connect(
    handlers: Handlers,
    inputs: Inputs,
    choice: list[gr.components.Component],
    outputs: Outputs,
) -> None:
    live, tab = gr.State(Live), gr.State('image')
    # One network at a time: results of a runtime live until its next call.
    network = {'concurrency_id': 'network', 'concurrency_limit': 1}
    changed = [inputs.image.change, *(control.change for control in choice)]
    gr.on(
        changed,
        handlers.image,
        [tab, inputs.image, *choice],
        outputs.viewer,
        show_progress='minimal',
        **network,
    )
    inputs.webcam.stream(
        handlers.webcam,
        [inputs.webcam, *choice, live],
        outputs.viewer,
        stream_every=0.1,
        time_limit=None,
        show_progress='hidden',
        **network,
    )
    inputs.start.click(
        handlers.video,
        [inputs.video, *choice, inputs.opacity, inputs.max_frames, live],
        [outputs.video, outputs.video_line],
        **network,
    )
    inputs.stop.click(handlers.stop, live, queue=False)
    for name, one in inputs.tabs.items():
        one.select(
            lambda name=name: (
                name,
                gr.update(visible='hidden' if name == 'video' else True),
                gr.update(visible=True if name == 'video' else 'hidden'),
            ),
            outputs=[tab, outputs.viewer, outputs.video_column],
            queue=False,
        )
