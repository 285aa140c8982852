"""Which configs there are, and how a name becomes one.

A config is named by a path, by its leaf name (``sctnet_s_seg50_2xb8_160k_...``, with
or without ``.py``) or by the short name that the model index gives it
(``sctnet-s-seg50``).
"""

import difflib
import os
import sysconfig
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from mmengine.config import Config, ConfigDict

from .compat.own_data import refuse_own_base, refuse_own_data
from .compat.own_modules import check_imports, import_custom_modules, search_beside
from .errors import ConfigError

_PACKAGE = Path(__file__).resolve().parent
# In a wheel the configs lie inside the package, in a checkout beside it.
CONFIG_ROOT = (
    _PACKAGE / 'configs'
    if (_PACKAGE / 'configs').is_dir()
    else _PACKAGE.parent / 'configs'
)


@cache
def short_names() -> dict[str, str]:
    """Short name to leaf name, from the metafiles beside the leaf configs."""
    names = {}
    for metafile in CONFIG_ROOT.glob('*/metafile.yml'):
        for model in yaml.safe_load(metafile.read_text(encoding='utf-8'))['Models']:
            names.update(dict.fromkeys(model['Alias'], model['Name']))
    return names


@cache
def _leaves() -> dict[str, Path]:
    """Leaf name to file."""
    folders = (p for p in CONFIG_ROOT.iterdir() if not p.name.startswith('_'))
    return {path.stem: path for folder in folders for path in folder.glob('*.py')}


def leaf_names() -> list[str]:
    """Names of all leaf configs, sorted."""
    return sorted(_leaves())


def find_config(name: str | os.PathLike) -> Path:
    """Return the file of the config called ``name``: path, leaf name or short name.

    Raises:
        ConfigError: there is none; the message suggests a name that is near.
    """
    path = Path(name)
    if os.path.isfile(path):  # pathlib raises for a name that is too long
        return _prefer_checkout(path)
    leaf = short_names().get(
        str(name), path.stem if path.suffix == '.py' else path.name
    )
    # A mistyped path must not become our config of the same file name.
    if path.parent == Path() and leaf in _leaves():
        return _leaves()[leaf]
    near = _nearest(leaf.lower())
    raise ConfigError(
        f"there is no config '{name}', neither a file nor a name of sctnet's: "
        + (f"did you mean '{near}'? " if near else '')
        + "'mim search sctnet' lists all"
    )


def _nearest(leaf: str) -> str | None:
    known = [*short_names(), *leaf_names()]
    begun = [name for name in known if leaf and name.startswith(leaf)]
    near = begun or difflib.get_close_matches(leaf, known, n=1, cutoff=0.6)
    return near[0] if near else None


def _prefer_checkout(path: Path) -> Path:
    """Follow a config that an editable install copied back to its original.

    mim finds the copies below site-packages; they are as old as the installation.
    """
    copies = Path(sysconfig.get_path('purelib')).resolve() / 'sctnet' / 'configs'
    resolved = path.resolve()
    if resolved.is_relative_to(copies) and copies != CONFIG_ROOT:
        original = CONFIG_ROOT / resolved.relative_to(copies)
        if original.is_file():
            return original
    return path


def load_config(config: str | os.PathLike | Config) -> Config:
    """Return the :class:`Config` that ``config`` is or names.

    Raises:
        ConfigError: there is no such config, or its file cannot be read.
    """
    if isinstance(config, Config):
        refuse_own_data(config)
        return config
    if not isinstance(config, str | os.PathLike):
        raise ConfigError(
            f'config is a {type(config).__name__}: expected a path, the name of a '
            'config or an mmengine Config'
        )
    path = find_config(config)
    if CONFIG_ROOT not in path.resolve().parents:
        search_beside(path)
    try:
        cfg = Config.fromfile(path, import_custom_modules=False)
    except Exception as error:
        refuse_own_base(path, error)
        raise ConfigError(
            f"config '{path}' cannot be read ({type(error).__name__}: {error}): mend "
            'the file, or start from one that mim search sctnet lists'
        ) from error
    import_custom_modules(cfg)
    check_imports(cfg, path)
    refuse_own_data(cfg)
    _spread_faster_loader(cfg)
    return cfg


def _make_room(cfg: Config, key: str) -> None:
    """Let a dotted key reach below a None, and one place beyond the end of a list.

    So ``custom_hooks.1.type`` adds a hook, and ``optim_wrapper.paramwise_cfg.bypass``
    begins a dict, where mmengine merges neither.
    """
    node: Any = cfg
    parts = key.split('.')
    for depth, part in enumerate(parts):
        if isinstance(node, list):
            if part == str(len(node)):
                node.append(ConfigDict())
            elif not part.isdigit() or int(part) > len(node):
                return
            node = node[int(part)]
        elif isinstance(node, Config | dict) and part in node:
            if node[part] is None and depth < len(parts) - 1:
                node[part] = ConfigDict()
            node = node[part]
        else:
            return


def _spread_faster_loader(cfg: Config) -> None:
    if 'faster_loader' in cfg:
        from .datasets.faster_loader import apply_faster_loader

        apply_faster_loader(cfg)


def merge_options(cfg: Config, options: dict[str, Any]) -> None:
    """Change ``cfg`` by dotted keys.

    Raises:
        ConfigError: a key leads where the config has nothing to change, or the
            config's ``default_scope`` is none.
    """
    if 'faster_loader' in cfg and options:
        from .datasets.faster_loader import undo_faster_loader

        undo_faster_loader(cfg)  # keys name the steps of the recipe
    own = [key for key in options if key.partition('.')[0] == 'own_data']
    if own:
        raise ConfigError(
            f'--cfg-options {own[0]} changes nothing any more: name the value itself, '
            'such as train_cfg.max_iters or train_dataloader.batch_size, or --data-root'
        )
    for key in options:
        _make_room(cfg, key)
    try:
        cfg.merge_from_dict(options)
    except Exception as error:  # it raises what the values happen to raise
        raise ConfigError(
            f'--cfg-options cannot be merged ({error}): check the names against the '
            'config'
        ) from error
    _spread_faster_loader(cfg)
    if any(key.partition('.')[0] == 'custom_imports' for key in options):
        import_custom_modules(cfg)
    scope = cfg.get('default_scope', 'mmseg')
    if not isinstance(scope, str) or not scope.isidentifier():
        raise ConfigError(
            f'default_scope is {scope!r}: set it to mmseg, or to the package whose '
            'classes the config names'
        )
