"""When garbage is collected."""

from __future__ import annotations

import gc

import pytest

from optplan.runtime.gc_control import gc_deferred, gc_paused, resume_gc


@pytest.mark.parametrize("is_enabled", [True, False])
def test_all_is_as_it_was(is_enabled: bool) -> None:
    if not is_enabled:
        gc.disable()
    try:
        with gc_deferred():
            assert not gc.isenabled()
            before = gc.get_freeze_count()
            resume_gc()
            frozen = gc.get_freeze_count()
            assert gc.isenabled()
            assert frozen > before
            with gc_paused():
                assert not gc.isenabled()
            assert gc.isenabled()
        assert gc.isenabled() is is_enabled
        assert gc.get_freeze_count() < frozen
    finally:
        gc.enable()


def test_an_error_leaves_nothing_behind() -> None:
    with pytest.raises(KeyError), gc_deferred(), gc_paused():
        raise KeyError
    assert gc.isenabled()
