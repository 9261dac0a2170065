"""Find functions that read the values of a model, which a model without memory does not have."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from optplan.dialects import code_dialect
from optplan.errors import PlanError

if TYPE_CHECKING:
    from optplan.config import Config
    from optplan.model import LoadedModel

# Up to so many elements, 0.4 GB in float32, a model is built again with memory and nothing is said.
MOST_ELEMENTS = 100_000_000


def may_need_memory(error: PlanError, config: Config, loaded: LoadedModel) -> bool:
    """Return whether a function has failed on a model without memory, and may not with it.

    Raises:
        PlanError: It has read values, and the model is large: the user decides.
    """
    if code_dialect(config) is None or error.__cause__ is None:
        return False
    if not any(parameter.is_meta for parameter in loaded.module.parameters()):
        return False
    elements = loaded.inventory.elements
    if elements <= MOST_ELEMENTS:
        return True
    if (
        "meta" in str(error.__cause__).lower()
    ):  # as torch calls the device of tensors without memory
        hint = (
            "it reads values of the model, which was built without memory: "
            f"--materialize builds it with {elements * 4 / 1e9:.1f} GB"
        )
        raise PlanError([replace(problem, hint=hint) for problem in error.problems]) from error
    return False
