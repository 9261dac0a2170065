"""OPT109: models with a child called module."""

from __future__ import annotations

from collections.abc import Iterator

from optplan.checks.base import Check, Context, Finding
from optplan.checks.facts.module_child import outside_module
from optplan.checks.facts.wording import parameters
from optplan.errors import listed
from optplan.names import Severity


class UnwrappedModuleChild(Check):
    """The model has a child called ``module``: constructors take it for the wrapped model, and drop all else.

    Bad::

        class Net(nn.Module):
            def __init__(self):
                self.stem = nn.Conv2d(3, 8, 3)    # is never trained
                self.module = Backbone()

    Good::

        class Net(nn.Module):
            def __init__(self):
                self.stem = nn.Conv2d(3, 8, 3)
                self.backbone = Backbone()
    """

    code = "OPT109"
    name = "unwrapped-module-child"
    severity = Severity.ERROR

    def run(self, context: Context) -> Iterator[Finding]:
        """Yield the trainable parameters beside that child."""
        if context.planned is None:
            return
        dropped = [facts.name for facts in outside_module(context.planned.inventory)]
        if dropped:
            yield self.finding(
                "the model has an attribute 'module', and only what is below it is optimized:"
                f" {parameters(len(dropped), 'are')} dropped,"
                f" {listed(dropped)}",
                key="model.module",
                hint="rename the attribute",
                parameters=tuple(dropped),
            )
