"""The parameters of timm's models, kept from run to run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optplan.cache.store import Store
from optplan.facts import Inventory

_KIND = "model"
# Arguments for which timm reads files that no key here covers.
_READ_FILES = ("checkpoint_path", "cache_dir", "pretrained")


class CachedModels:
    """Inventories of timm's models by what the user calls them.

    Args:
        store: Where they are kept.
        valid_for: All that they depend on besides.
    """

    def __init__(self, store: Store, valid_for: Mapping[str, Any]) -> None:
        self._store = store
        self._valid_for = valid_for

    def get(
        self, spec: str, arguments: Mapping[str, Any], *, has_layers: bool = False
    ) -> Inventory | None:
        """The inventory of a model, if it was built before.

        Args:
            spec: What the user calls it.
            arguments: Its arguments.
            has_layers: Its parameters are to have the layers that the model itself says.
        """
        data = self._store.get(_KIND, self._key(spec, arguments, has_layers))
        try:
            return None if data is None else Inventory.from_dict(data)
        except (AttributeError, KeyError, TypeError, ValueError):
            return None

    def put(
        self, inventory: Inventory, arguments: Mapping[str, Any], *, has_layers: bool = False
    ) -> None:
        """Remember what was built: a model of timm's alone, made of what the key holds alone."""
        is_timm = inventory.source == "timm" and inventory.class_name.startswith("timm.")
        reads_files = any(name.startswith(_READ_FILES) for name in arguments)
        if inventory.spec is not None and is_timm and not reads_files:
            key = self._key(inventory.spec, arguments, has_layers)
            self._store.put(_KIND, key, inventory.to_dict())

    def _key(self, spec: str, arguments: Mapping[str, Any], has_layers: bool) -> dict[str, Any]:
        # as text: a tuple and a list are two things to a model, but one to JSON
        given = repr(sorted(arguments.items()))
        return {**self._valid_for, "model": spec, "arguments": given, "layers": has_layers}
