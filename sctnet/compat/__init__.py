"""What the stack lacks, put right: mmengine, mmcv, mmseg, torch and torchvision.

``import sctnet`` closes no gap itself and so stays light. It asks to be called when one
of these packages is first imported (:mod:`.import_hook`), and closes what that one has:

- mmseg 1.2.2 imports ``mmcv.ops`` unguarded, and mmcv-lite has all of it but the
  compiled module ``mmcv._ext``. A stand-in whose every op raises when *called*
  lets everything import that does not need an op.
- mmseg's cross entropy with class weights fails at pixels that are to be ignored, and
  its focal loss wherever mmcv's compiled op is not (:mod:`.mmseg_losses`).
- torch >= 2.6 loads with ``weights_only=True``; mmengine's own checkpoints hold
  its ``HistoryBuffer`` and numpy scalars, which must be named as harmless.
- mmengine reads checkpoints by ``torch.load`` alone; ours are read by
  :mod:`sctnet.weights.safe_files`, wherever mmengine loads one.
- mmengine builds scopes, loggers and visualizers while it holds a lock, and keeps it
  where that fails: every other thread of the process would wait for ever.
- mmengine's test-time augmentation averages logits, and does not tell its model so.
- mmseg's registries know the modules of mmseg alone; ours are added, so that a config
  finds their names.
- mmengine and mmcv call ``pkgutil.find_loader``, which Python 3.14 no longer has.
- mmpretrain imports torchvision for its plain transforms, and a torchvision built for
  CUDA beside a torch for the CPU fails to import for want of two compiled ops.
"""
