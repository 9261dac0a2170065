"""Find a model, build it on the meta device, and read the facts of its parameters.

Imports torch where a model is built; imports ``config``, ``facts``, ``registries`` and ``runtime``.
"""

from optplan.model.configured import may_be_installed, open_configured
from optplan.model.depth import model_layers
from optplan.model.inventory import class_name, make_inventory, walked_module
from optplan.model.load import LoadedModel, library_of, load_model, open_model
from optplan.model.meta import Memory, given_memory
from optplan.model.owner_flags import is_dcn, owner_flags
from optplan.model.traversal import parameters_by_name

__all__ = [
    "LoadedModel",
    "Memory",
    "class_name",
    "given_memory",
    "is_dcn",
    "library_of",
    "load_model",
    "make_inventory",
    "may_be_installed",
    "model_layers",
    "open_configured",
    "open_model",
    "owner_flags",
    "parameters_by_name",
    "walked_module",
]
