"""OPT207: groups whose weight decay is swapped."""

from __future__ import annotations

from collections.abc import Iterator

from optplan.checks.base import Check, Context, Finding
from optplan.checks.facts.decay_consistency import is_decayed
from optplan.checks.facts.wording import parameters, values
from optplan.errors import listed
from optplan.names import Severity
from optplan.plan import PlannedParameter


class InvertedDecay(Check):
    """Only biases, norms and other vectors are decayed, and no weight matrix is: the groups are swapped.

    Bad::

        AdamW([{'params': biases_and_norms, 'weight_decay': 0.1},
               {'params': matrices, 'weight_decay': 0.0}], lr=1e-3)

    Good::

        AdamW([{'params': biases_and_norms, 'weight_decay': 0.0},
               {'params': matrices, 'weight_decay': 0.1}], lr=1e-3)
    """

    code = "OPT207"
    name = "inverted-decay"
    severity = Severity.WARNING
    of_section = True

    def run(self, context: Context) -> Iterator[Finding]:
        """Yield the decayed vectors, where no matrix that is trained is decayed."""
        rows = [row for row in context.rows.values() if _is_trained(row)]
        decayed = [row for row in rows if is_decayed(row)]
        matrices = sum(not _is_flat(row) for row in rows)
        if not decayed or not matrices or not all(map(_is_flat, decayed)):
            return
        names = tuple(row.name for row in decayed)
        yield self.finding(
            f"{parameters(len(decayed))} with one dimension {'has' if len(decayed) == 1 else 'have'} weight_decay"
            f" {values(row.weight_decay for row in decayed)}, while {_no_matrix(matrices)}: {listed(names)}",
            key=".".join(filter(None, (context.part, "weight_decay"))),
            hint="swap the weight decay of the groups, if matrices are to be decayed",
            parameters=names,
        )


def _is_trained(row: PlannedParameter) -> bool:
    return row.requires_grad and row.weight_decay is not None and row.effective_lr != 0


def _is_flat(row: PlannedParameter) -> bool:
    """Return whether a parameter is a vector but for dimensions of size 1, as biases, norms and scales are."""
    return row.elements == max(row.shape, default=1)


def _no_matrix(count: int) -> str:
    return "the only matrix has none" if count == 1 else f"none of {count} matrices has any"
