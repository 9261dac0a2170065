"""Evaluate the Python that configs are written in, by walking its syntax tree.

Nothing is compiled, executed or imported. The subset is what released configs use, and a little
more; anything else is an error that names ``--trust``.
"""

from __future__ import annotations

from optplan.config.evaluator import calls, definitions, expressions, operators, statements
from optplan.config.evaluator.frame import HANDLERS, TRUST_HINT, Frame

__all__ = ["HANDLERS", "TRUST_HINT", "Frame"]

for _part in (calls, definitions, expressions, operators, statements):
    HANDLERS.update(_part.HANDLERS)
