"""Running optimizers of other people, which may raise anything."""

from __future__ import annotations

from collections.abc import Callable

from optplan.chatter import chatter_to_stderr
from optplan.errors import described_exception
from optplan.verify.devices import is_out_of_memory


def what_it_says(action: Callable[[], object]) -> str | None:
    """What someone's optimizer raises."""
    try:
        with chatter_to_stderr():
            action()
    except Exception as error:  # whatever an optimizer of any package may raise
        if is_out_of_memory(error):
            raise
        return described_exception(error)
    return None
