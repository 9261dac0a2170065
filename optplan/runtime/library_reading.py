"""Let a library make what a file describes, such as a model's ``config.json``, or an adapter's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from optplan.runtime.audit import lifted
from optplan.runtime.gate import named_code
from optplan.runtime.stdio import suppress_output


@contextmanager
def library_reading(file: object, *libraries: str) -> Iterator[None]:
    """Let libraries that are optplan's own choice make what a file describes: its values count as named code,
    since they may have a library fetch, read, compute or run more than a model.

    Args:
        file: The file, for messages; None where none describes anything.
        libraries: What is imported first, unrestricted.

    Raises:
        IsolationNeededError: It must be made in another process.
        RefusedError: It does what it must not.
    """
    if file is None:
        yield
        return
    with named_code(str(file)):
        with lifted(), suppress_output():
            for library in libraries:
                import_module(library)
        yield
