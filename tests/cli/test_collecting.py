"""When garbage is collected."""

from __future__ import annotations

import gc

import pytest

from optplan.collecting import collect_from_now, collecting_later, uncollected


@pytest.mark.parametrize("is_enabled", [True, False])
def test_all_is_as_it_was(is_enabled: bool) -> None:
    if not is_enabled:
        gc.disable()
    try:
        with collecting_later():
            assert not gc.isenabled()
            before = gc.get_freeze_count()
            collect_from_now()
            frozen = gc.get_freeze_count()
            assert gc.isenabled()
            assert frozen > before
            with uncollected():
                assert not gc.isenabled()
            assert gc.isenabled()
        assert gc.isenabled() is is_enabled
        assert gc.get_freeze_count() < frozen
    finally:
        gc.enable()


def test_an_error_leaves_nothing_behind() -> None:
    with pytest.raises(KeyError), collecting_later(), uncollected():
        raise KeyError
    assert gc.isenabled()
