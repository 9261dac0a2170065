"""Models: found, built on the meta device, and turned into facts."""

from optplan.model.configured import may_be_installed, open_configured
from optplan.model.depth import model_layers
from optplan.model.inventory import class_name, make_inventory, walked_module
from optplan.model.load import LoadedModel, library_of, load_model, open_model
from optplan.model.meta import Memory, given_memory
from optplan.model.owners import Owners, is_dcn
from optplan.model.walk import parameters_by_name

__all__ = [
    "LoadedModel",
    "Memory",
    "Owners",
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
    "parameters_by_name",
    "walked_module",
]
