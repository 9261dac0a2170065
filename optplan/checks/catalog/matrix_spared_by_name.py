"""OPT206: weight matrices that a name pattern leaves without decay."""

from __future__ import annotations

import re
from collections.abc import Iterator

from optplan.checks.base import Check, Context, Finding
from optplan.checks.facts.decay_consistency import is_decayed
from optplan.checks.facts.wording import parameters
from optplan.errors import listed, quoted
from optplan.facts import ParameterFacts
from optplan.names import Rule, Severity
from optplan.plan import PlannedParameter

_MATRICES = ("linear", "conv", "embedding")
# What the patterns of vectors look for, which the names of other modules contain as well.
_WORD = re.compile(
    r"layer_?norm|rms_?norm|group_?norm|batch_?norm|norm|bias|(?<![a-z])(?:ln|bn)(?![a-z])"
)
_BY_CODE = frozenset({Rule.SET, Rule.CONSTRUCTOR})


class MatrixSparedByName(Check):
    """Weight matrices that are not decayed while others of their class are, as a name pattern matches them.

    Patterns such as ``"norm"`` and ``"bias"`` are meant for vectors, and match the path of any module whose
    name contains them.

    Bad, for a model whose attention has a ``position_bias_mlp`` of linear layers::

        no_decay = [p for n, p in model.named_parameters() if 'bias' in n]

    Good::

        no_decay = [p for n, p in model.named_parameters() if p.ndim < 2]

    What a custom key, an option or the model itself spares is meant to be, and is not reported.
    """

    code = "OPT206"
    name = "matrix-spared-by-name"
    severity = Severity.WARNING

    def run(self, context: Context) -> Iterator[Finding]:
        """Yield a finding for each word by which matrices are left without decay."""
        matrices = [(row, facts) for row, facts in context.pairs if _is_trained_matrix(row, facts)]
        decayed = {row.module for row, _ in matrices if is_decayed(row)}
        found: dict[str, list[PlannedParameter]] = {}
        for row, facts in matrices:
            match = _WORD.search(row.name.lower())
            if match and row.module in decayed and _is_spared(row, facts):
                found.setdefault(match[0], []).append(row)
        for word, rows in found.items():
            names = tuple(row.name for row in rows)
            classes = sorted({row.module.rpartition(".")[2] for row in rows})
            yield self.finding(
                f"{parameters(len(rows), 'have')} no weight decay, while others of {listed(classes)} have:"
                f" {quoted(word)} in the name seems to be the reason: {listed(names)}",
                key=f"matrix.{word}",
                hint="select vectors by their dimensions, or match the end of the name only",
                parameters=names,
            )


def _is_trained_matrix(row: PlannedParameter, facts: ParameterFacts) -> bool:
    owner = facts.owner_class.lower()
    is_table_of_biases = "embedding" in owner and facts.prefix.endswith("bias")
    return (
        facts.local == "weight"
        and not is_table_of_biases
        and any(word in owner for word in _MATRICES)
        and row.elements > max(row.shape, default=1)
        and row.requires_grad
        and row.weight_decay is not None
        and row.effective_lr != 0
    )


def _is_spared(row: PlannedParameter, facts: ParameterFacts) -> bool:
    """Return whether code left a matrix without decay, which the model does not ask for."""
    use = row.weight_decay_rule
    is_by_code = use is not None and use.rule in _BY_CODE
    return row.weight_decay == 0 and is_by_code and not facts.declared_no_decay
