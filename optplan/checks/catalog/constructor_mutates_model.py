"""OPT408: constructors that change requires_grad."""

from __future__ import annotations

from collections.abc import Iterator

from optplan.checks.base import Check, Context, Finding
from optplan.checks.facts.wording import parameters
from optplan.errors import listed
from optplan.names import Severity


class ConstructorMutatesModel(Check):
    """Building the groups changed ``requires_grad`` of the model's parameters.

    Surprising: timm's ``param_groups_layer_decay(..., no_opt_scale=1e-4)`` freezes the layers whose scale
    is smaller than that.

    Said outright::

        for parameter in model.patch_embed.parameters():
            parameter.requires_grad_(False)
    """

    code = "OPT408"
    name = "constructor-mutates-model"
    severity = Severity.WARNING

    def run(self, context: Context) -> Iterator[Finding]:
        """Yield the parameters that are frozen or trainable afterwards, and were not before."""
        pairs = tuple(context.pairs)
        for after, word in ((False, "froze"), (True, "unfroze")):
            names = [
                row.name
                for row, facts in pairs
                if row.requires_grad is after and facts.requires_grad is not after
            ]
            if names:
                yield self.finding(
                    f"the constructor {word} {parameters(len(names))} of the model: {listed(names)}",
                    key=f"constructor.{word}",
                    place=context.section.places["constructor"] if context.section else None,
                    parameters=tuple(names),
                )
