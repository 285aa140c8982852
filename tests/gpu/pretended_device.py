"""A pretended CUDA device, for a torch that has none: what crosses to it and back?

A tensor on it says ``cuda:0``, keeps its values on the CPU and computes there. Every
operation passes through :func:`_perform`, which writes into a :class:`Ledger` what a
GPU would have to do. Three parts make torch believe it:

- to torch's C++ the device is the one that a Python program may define (PrivateUse1);
- a function mode turns ``cuda`` into that device wherever Python names one;
- ``torch.cuda`` is told that there is a GPU, and autocast has CUDA's lists.

The process that calls :func:`pretend` cannot go back: it is for a process of its own,
and for importing before mmengine, which looks for a GPU once. It says nothing of time,
and knows no recorded graphs, no ``torch.compile`` and no kernels of Triton's.
"""

import sys
from collections import Counter
from typing import NamedTuple

import torch
from torch.optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)
from torch.overrides import TorchFunctionMode
from torch.utils import backend_registration
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes
from torch.utils._pytree import tree_leaves, tree_map

NAME = 'pretended'
CUDA = torch.device('cuda:0')
CPU = torch.device('cpu')
SUPPORTED = hasattr(backend_registration, '_setup_privateuseone_for_python_backend')
# The host stands still until the device has answered.
WAITING = {
    *('_local_scalar_dense', 'equal', 'is_nonzero', 'item', 'nonzero', 'masked_select'),
    *('_unique2', 'unique_dim', 'unique_consecutive', 'bincount'),
}
ALLOCATING = {
    *('empty', 'empty_like', 'empty_strided', 'new_empty', 'new_empty_strided'),
    *('_unsafe_view', 'lift_fresh', '_local_scalar_dense', 'is_pinned'),
}
INDEXING = {'index', 'index_put', 'index_put_', '_index_put_impl_', '_unsafe_index'}
LIBRARIES = ('/sctnet/', '/mmseg/', '/mmengine/', '/mmcv/', '/torch/optim/')
# What CUDA's autocast computes in half precision, and what in float32.
IN_HALF = ['conv2d', 'conv_transpose2d.input', 'linear', 'matmul', 'mm', 'bmm', 'addmm']
IN_HALF += ['baddbmm', 'addbmm', 'prelu', 'scaled_dot_product_attention']
IN_FLOAT = ['softmax.int', 'log_softmax.int', 'layer_norm', 'group_norm', 'exp', 'log']
IN_FLOAT += ['pow.Tensor_Scalar', 'rsqrt', 'reciprocal', 'sum', 'sum.dim_IntList']
IN_FLOAT += ['mse_loss', 'l1_loss', 'kl_div', 'cumsum', 'norm.ScalarOpt_dim']
IN_FLOAT += ['nll_loss', 'nll_loss2d', 'cross_entropy_loss']


class Crossing(NamedTuple):
    """Something that a GPU's user pays for, and the line that asked for it."""

    kind: str  # 'copy' to the device, or 'wait' for it
    operation: str
    place: str


class Ledger:
    """What happened on the device while ``recording``."""

    def __init__(self):
        self.recording = False
        self.stepping = False  # inside an optimizer's step
        self.clear()

    def clear(self):
        self.crossings = []
        self.launches = Counter()
        self.in_optimizer = Counter()

    def note(self, kind, operation, detail=''):
        if self.recording:
            self.crossings.append(Crossing(kind, f'{operation}{detail}', _place()))

    def launch(self, operation):
        if self.recording:
            self.launches[operation] += 1
            self.in_optimizer[operation] += self.stepping

    def report(self):
        """Return counts, and each crossing's line with how often it was crossed."""
        kinds = Counter(crossing.kind for crossing in self.crossings)
        lines = Counter(map(' '.join, self.crossings))
        return {
            'copies': kinds['copy'],
            'waits': kinds['wait'],
            'optimizer': dict(+self.in_optimizer),
            'launches': sum(self.launches.values()),
            'lines': dict(lines),
        }


ledger = Ledger()
_pinned = {}  # memory of pinned tensors, which are kept so that it is not used again


def _place():
    """Name the innermost line of a library; backward runs in a thread without one."""
    frame = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_filename
        if any(part in name for part in LIBRARIES):
            return f'{name.rpartition("site-packages/")[2]}:{frame.f_lineno}'
        frame = frame.f_back
    return 'backward'


class Pretended(torch.Tensor):
    """A tensor on the device; ``values`` are on the CPU."""

    __torch_function__ = torch._C._disabled_torch_function_impl
    device = property(lambda self: CUDA)
    is_cuda = property(lambda self: True)

    @staticmethod
    def __new__(cls, values):
        made = torch.Tensor._make_wrapper_subclass(
            cls,
            values.size(),
            strides=values.stride(),
            storage_offset=values.storage_offset(),
            dtype=values.dtype,
            layout=values.layout,
            device=torch.device(NAME, 0),
        )
        made.values = values
        return made

    def __repr__(self, *, tensor_contents=None):
        return f'Pretended({tuple(self.shape)}, {self.dtype})'

    def __format__(self, how):
        return format(self.item(), how)

    def tolist(self):
        return self.cpu().tolist()

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        return _perform(func, args, kwargs or {})


class _Operations(TorchDispatchMode):
    """Sees what has no tensor of the device among its arguments, such as ``zeros``."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return _perform(func, args, kwargs or {})


class _Names(TorchFunctionMode):
    """Knows the device by the name that Python has for it."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        args = tuple(map(_translate, args))
        kwargs = {name: _translate(one) for name, one in (kwargs or {}).items()}
        if func is torch.Tensor.pin_memory:
            pinned = args[0].clone()
            _pinned[pinned.untyped_storage().data_ptr()] = pinned
            return pinned
        if func is torch.Tensor.cuda:
            return args[0].to(torch.device(NAME, 0))
        return func(*args, **kwargs)


def _translate(word):
    if isinstance(word, str) and word.partition(':')[0] == 'cuda':
        return torch.device(NAME, 0)
    if isinstance(word, torch.device) and word.type == 'cuda':
        return torch.device(NAME, 0)
    return word


def _on_cpu(word):
    if isinstance(word, Pretended):
        return word.values
    return CPU if isinstance(word, torch.device) else word


def _perform(func, args, kwargs):
    """Compute on the CPU, and note what a GPU would have done."""
    tensors = [x for x in tree_leaves((args, kwargs)) if isinstance(x, torch.Tensor)]
    ours = {id(x.values): x for x in tensors if isinstance(x, Pretended)}
    target = kwargs.get('device')
    there = bool(ours) if target is None else torch.device(target).type != 'cpu'
    if ours or there:
        _note(func, args, kwargs, tensors, there)
    name = func.overloadpacket.__name__
    args, kwargs = tree_map(_on_cpu, (args, kwargs))
    if name in ('_softmax', '_log_softmax'):  # no half_to_float on a CPU
        args = (args[0].float() if args[2] else args[0], args[1], False)
    with _disable_current_modes():
        found = func(*args, **kwargs)

    def wrap(one):
        if not isinstance(one, torch.Tensor):
            return one
        same = ours.get(id(one))  # of what works in place
        return same if same is not None else Pretended(one) if there else one

    return tree_map(wrap, found)


def _note(func, args, kwargs, tensors, there):
    name = func.overloadpacket.__name__
    theirs = [x for x in tensors if not isinstance(x, Pretended)]
    if name == 'copy_':
        into, source, *rest = args
        _note_copy(name, source, isinstance(into, Pretended), any(rest))
    elif name == '_to_copy':
        _note_copy(name, args[0], there, kwargs.get('non_blocking', False))
    elif name in INDEXING:
        _note_indices(name, args)
    elif any(x.ndim for x in theirs) and name != 'lift_fresh':
        raise RuntimeError(
            f'{name}: a tensor of the CPU {tuple(theirs[0].shape)} meets one of the GPU'
        )
    elif name in WAITING or func is torch.ops.aten.repeat_interleave.Tensor:
        ledger.note('wait', name)
    views = any(
        r.alias_info and not r.alias_info.is_write for r in func._schema.returns
    )
    if there and not views and name not in ALLOCATING:
        ledger.launch(name)


def _note_copy(name, source, to_device, without_waiting):
    from_device = isinstance(source, Pretended)
    detail = f' {tuple(source.shape)} {source.dtype}'.replace('torch.', '')
    if to_device and not from_device:
        ledger.note('copy', name, detail)
        pinned = source.untyped_storage().data_ptr() in _pinned
        if not (pinned and without_waiting):
            ledger.note('wait', name, f'{detail} from pageable memory')
    elif from_device and not to_device:
        ledger.note('wait', name, detail)


def _note_indices(name, args):
    indices = [one for one in args[1] if one is not None]
    for one in indices:
        if not isinstance(one, Pretended) and one.ndim:
            ledger.note('copy', name, ' by a list')
            ledger.note('wait', name, ' by a list')
    masks = any(one.dtype in (torch.bool, torch.uint8) for one in indices)
    filling = name != 'index' and len(args) > 2 and args[2].numel() == 1
    if masks and not filling:
        ledger.note('wait', name, ' by a mask')


def _cast_to(op, kind):
    """Return the autocast of ``op``: to what autocast is set to, or to ``kind``."""
    key = torch._C.DispatchKeySet(torch._C.DispatchKey.AutocastPrivateUse1)

    def cast(one):
        floats = isinstance(one, Pretended) and one.is_floating_point()
        if not floats or one.dtype == torch.float64:
            return one
        return one.to(kind or torch.get_autocast_dtype(NAME))

    def kernel(*args, **kwargs):
        with torch._C._ExcludeDispatchKeyGuard(key):
            args, kwargs = tree_map(cast, (args, kwargs))
            return op(*args, **kwargs)

    return kernel


def _register_autocast():
    library = torch.library.Library('aten', 'IMPL')
    everything = torch.library.Library('_', 'IMPL')
    everything.fallback(torch.library.fallthrough_kernel, 'AutocastPrivateUse1')
    for names, kind in ((IN_HALF, None), (IN_FLOAT, torch.float32)):
        for name in names:
            packet, _, overload = name.partition('.')
            op = getattr(getattr(torch.ops.aten, packet), overload or 'default')
            library.impl(name, _cast_to(op, kind), 'AutocastPrivateUse1')
    return library, everything


class _Backend:
    """What torch asks a device's module for."""

    is_available = is_initialized = staticmethod(lambda: True)
    current_device = staticmethod(lambda: 0)
    device_count = staticmethod(lambda: 1)
    _is_in_bad_fork = staticmethod(lambda: False)
    manual_seed_all = staticmethod(lambda seed: None)
    get_amp_supported_dtype = staticmethod(lambda: [torch.float16, torch.bfloat16])


def _tell_torch_cuda():
    """Let ``torch.cuda`` answer as it does where there is a GPU."""
    answers = {'is_available': True, 'device_count': 1, 'current_device': 0}
    answers |= {'is_bf16_supported': True, 'get_device_name': NAME, '_lazy_init': None}
    answers |= {'get_device_capability': (9, 0), 'manual_seed_all': None}
    answers |= dict.fromkeys(('synchronize', 'empty_cache', 'set_device'))
    answers |= {'max_memory_allocated': 1 << 20, 'reset_peak_memory_stats': None}
    for name, answer in answers.items():
        setattr(torch.cuda, name, lambda *_, answer=answer, **__: answer)
    torch.cuda.amp.common.amp_definitely_not_available = lambda: False
    torch.amp.grad_scaler.amp_definitely_not_available = lambda: False
    init = torch.autocast.__init__

    def autocast(self, device_type, *args, **kwargs):
        init(self, NAME if device_type == 'cuda' else device_type, *args, **kwargs)

    torch.autocast.__init__ = autocast
    for name in ('is_autocast_enabled', 'get_autocast_dtype'):
        setattr(torch, name, _of_device(getattr(torch, name)))


def _of_device(ask):
    return lambda *kind: ask(*(NAME if one == 'cuda' else one for one in kind))


def pretend():
    """Make this process believe in a GPU from here to its end."""
    backend_registration._setup_privateuseone_for_python_backend(NAME, _Backend())
    torch.__future__.set_overwrite_module_params_on_conversion(True)
    torch._C._set_only_lift_cpu_tensors(True)
    _tell_torch_cuda()
    kept = _register_autocast()
    register_optimizer_step_pre_hook(lambda *_: _step(True))
    register_optimizer_step_post_hook(lambda *_: _step(False))
    for mode in (_Names(), _Operations()):
        mode.__enter__()
    return kept


def _step(inside):
    ledger.stepping = inside
