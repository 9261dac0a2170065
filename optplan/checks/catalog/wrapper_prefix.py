"""OPT110: names with the prefix of a wrapper."""

from __future__ import annotations

import re
from collections.abc import Iterator

from optplan.checks.base import Check, Context, Finding
from optplan.checks.facts.module_child import outside_module
from optplan.checks.facts.wording import parameters
from optplan.names import Severity

_WRAPPERS = re.compile(r"^module\.|(?:^|(?<=\.))(?:_orig_mod|_fsdp_wrapped_module)\.")


class WrapperPrefix(Check):
    """The names carry what a wrapper put before them, which keys written for the bare model do not expect.

    Bad::

        model = torch.compile(Net())    # names begin with _orig_mod.
        custom_keys={'.tok': dict(decay_mult=0.)}

    Good: plan the bare model, and wrap it afterwards.
    """

    code = "OPT110"
    name = "wrapper-prefix"
    severity = Severity.WARNING

    def run(self, context: Context) -> Iterator[Finding]:
        """Yield each kind of prefix, once; not the child that OPT109 tells of."""
        if context.planned is None or outside_module(context.planned.inventory):
            return
        found: dict[str, list[str]] = {}
        for name in context.rows:
            for prefix in dict.fromkeys(_WRAPPERS.findall(name)):
                found.setdefault(prefix, []).append(name)
        for prefix, names in found.items():
            yield self.finding(
                f"{parameters(len(names), 'carry')} the prefix {prefix!r} of a wrapper",
                key=f"model.{prefix}",
                hint="give the model itself, without the wrapper",
                parameters=tuple(names),
            )
