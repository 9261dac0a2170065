"""Evaluates the Python that configs are written in, by walking its syntax tree.

Nothing is compiled, executed or imported: what the modules here do not know is an error.
"""

from __future__ import annotations

from optplan.config.evaluator import calls, definitions, expressions, operators, statements
from optplan.config.evaluator.frame import EXPRESSIONS, STATEMENTS, TRUST_HINT, Frame

__all__ = ["EXPRESSIONS", "STATEMENTS", "TRUST_HINT", "Frame"]
_FILL_THE_TABLES = (calls, definitions, expressions, operators, statements)
