"""Loading weights whole, under the original's names too."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from ..weights.fit import check_weights


class WholeLoading:
    """For an ``nn.Module`` that refuses weights which fit in part, whatever loads them.

    mmengine's loaders, which only warn, and torch's both pass through
    ``_load_from_state_dict``. Inside another module it renames and leaves the
    comparison to whoever loads that one.
    """

    _strict = True

    def adapt_weights(self, state_dict: dict[str, Tensor], prefix: str) -> None:
        """Bring keys below ``prefix`` to this module's names and parts, in place."""
        raise NotImplementedError

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> Any:
        """Load weights under our names or the original's.

        Args:
            state_dict: parameter name to tensor.
            strict: False leaves the comparison to the caller, as in torch: the result
                lists missing and unexpected keys.
            assign: as in torch.

        Raises:
            CheckpointError: with ``strict``, names or shapes do not fit.
        """
        self._strict = strict
        try:
            return super().load_state_dict(state_dict, strict, assign)  # type: ignore[misc]
        finally:
            del self._strict

    def _load_from_state_dict(
        self, state_dict: dict[str, Tensor], prefix: str, *args: Any
    ) -> None:
        self.adapt_weights(state_dict, prefix)
        if not prefix and self._strict:
            check_weights(self.state_dict(), state_dict)  # type: ignore[attr-defined]
        super()._load_from_state_dict(state_dict, prefix, *args)  # type: ignore[misc]
