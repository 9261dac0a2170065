"""Keep the parameters of models of timm and transformers from run to run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optplan.cache.cache_key import transformers_key
from optplan.cache.store import Store
from optplan.facts import Inventory
from optplan.hf_specs import ADAPTER, is_hf_spec

_KIND = "model"
_LIBRARIES = ("timm", "transformers")
# Arguments for which files are read that no key here covers.
_READ_FILES = (ADAPTER, "checkpoint_path", "cache_dir", "pretrained")


class CachedModels:
    """Inventories of models of timm and transformers by what the user calls them.

    Args:
        store: Where they are kept.
        valid_for: All that they depend on besides.
    """

    def __init__(self, store: Store, valid_for: Mapping[str, Any]) -> None:
        self._store = store
        self._valid_for = valid_for
        self._of_transformers: dict[str, dict[str, Any] | None] = {}

    def get(
        self, spec: str, arguments: Mapping[str, Any], *, has_layers: bool = False
    ) -> Inventory | None:
        """Return the inventory of a model, if it was built before.

        Args:
            spec: What the user calls it.
            arguments: Its arguments.
            has_layers: Its parameters are to have the layers that the model itself says.
        """
        key = self._key(spec, arguments, has_layers)
        data = None if key is None else self._store.get(_KIND, key)
        try:
            return None if data is None else Inventory.from_dict(data)
        except (AttributeError, KeyError, TypeError, ValueError):
            return None

    def put(
        self, inventory: Inventory, arguments: Mapping[str, Any], *, has_layers: bool = False
    ) -> None:
        """Remember what was built: a model of the library's alone, made of what the key holds alone."""
        source, spec = inventory.source, inventory.spec
        is_librarys = source in _LIBRARIES and inventory.class_name.startswith(f"{source}.")
        reads_files = any(name.startswith(_READ_FILES) for name in arguments)
        if spec is None or not is_librarys or reads_files:
            return
        key = self._key(spec, arguments, has_layers)
        if key is not None:
            self._store.put(_KIND, key, inventory.to_dict())

    def _key(
        self, spec: str, arguments: Mapping[str, Any], has_layers: bool
    ) -> dict[str, Any] | None:
        """Return all that a model depends on, None where it is not known."""
        library: dict[str, Any] | None = {}
        if is_hf_spec(spec):
            if spec not in self._of_transformers:
                self._of_transformers[spec] = transformers_key(spec, self._store)
            library = self._of_transformers[spec]
        if library is None:
            return None
        # as text: a tuple and a list are two things to a model, but one to JSON
        given = repr(sorted(arguments.items()))
        named = {"model": spec, "arguments": given, "layers": has_layers}
        return {**self._valid_for, **library, **named}
