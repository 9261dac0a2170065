"""Models: found, built on the meta device, and turned into facts."""

from optplan.model.configured import may_be_installed, open_configured
from optplan.model.depth import model_layers
from optplan.model.inventory import class_name, is_dcn, make_inventory, owner_flags, walked_module
from optplan.model.load import LoadedModel, load_model, open_model
from optplan.model.meta import Memory, given_memory

__all__ = [
    "LoadedModel",
    "Memory",
    "class_name",
    "given_memory",
    "is_dcn",
    "load_model",
    "make_inventory",
    "may_be_installed",
    "model_layers",
    "open_configured",
    "open_model",
    "owner_flags",
    "walked_module",
]
