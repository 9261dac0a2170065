"""OPT901: suppressions that nothing needs."""

from __future__ import annotations

from collections.abc import Iterator

from optplan.checks.base import Check, Context, Finding
from optplan.names import Severity


class UnusedSuppression(Check):
    """A suppression that nothing needs any more, so that it could hide a new mistake unseen.

    It judges ``# optplan: ignore[…]`` in configs, the entries of a baseline, and ``per-config-ignores``
    and ``allow-group-keys`` in pyproject.toml. An entry counts as unused only if its check ran:
    without a model, or with the check not selected, nothing is known of it.

    Bad, where the key on this line matches parameters::

        custom_keys={'backbone.': dict(lr_mult=0.1)}  # optplan: ignore[OPT103]

    Good::

        custom_keys={'backbone.': dict(lr_mult=0.1)}

    A comment that begins with ``# optplan:`` and is no suppression is reported too.
    """

    code = "OPT901"
    name = "unused-suppression"
    severity = Severity.WARNING
    needs_plan = False

    def run(self, context: Context) -> Iterator[Finding]:  # noqa: ARG002
        """Yield nothing: what is unused shows only when all configs were checked."""
        yield from ()
