"""The memory of parameters, gradients and optimizer state, by setting and dtype."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from operator import add
from typing import Any

from optplan.plan.memory import Footprint, MemoryRow, OptimizerState, PlanMemory, StateMethod
from optplan.reporters.formats.report import Cell, Field, count_cell, list_cell, records_of
from optplan.reporters.plan_summary import setting_text
from optplan.reporters.selection import Selection
from optplan.reporters.show.view import View
from optplan.reporters.words import count_text, plural

_HOW = {
    StateMethod.META: "found by stepping the class on tensors without memory",
    StateMethod.REAL: "found by stepping the class in memory, on tensors of these shapes",
    StateMethod.SCALED: "found by stepping the class on small tensors and scaling by their dimensions: right where it "
    "treats large dimensions as it does small ones",
    StateMethod.NONE: "nothing: it has no parameters",
}
_NOT_COUNTED = (
    "parameters and gradients as the model is built; buffers, activations, and what wrappers and allocators add are not "
    "counted"
)


def declare(shown: Selection) -> View:
    """Return a row per setting and dtype."""
    memory = shown.memory
    assert memory is not None
    fields = _fields(shown, memory)
    return View(
        title="memory",
        sheet=f"memory: {_total_text(memory.rows)}",
        fields=fields,
        rows=memory.rows,
        key="rows",
        note=(_total_text(memory.rows), "bold"),
        more_blocks=lambda: _notes_blocks(shown, memory),
        more_closing=tuple(_notes(shown, memory)),
        data=lambda: _data(shown, memory, fields),
    )


def size_text(size: int | None) -> str:
    """Return bytes in three significant digits, in units of 1024: ``97.5 MiB``."""
    if size is None:
        return "not known"
    for power, unit in ((4, "TiB"), (3, "GiB"), (2, "MiB"), (1, "KiB")):
        if size >= 1024**power * 0.9995:
            return f"{size / 1024**power:#.3g}".rstrip(".") + f" {unit}"
    return f"{size} B"


def _fields(shown: Selection, memory: PlanMemory) -> Sequence[Field[MemoryRow]]:
    sharded = () if memory.processes is None else _sharded_fields(memory.processes)
    return (
        Field(key="setting", data=lambda row: row.setting),
        Field(key="optimizer", data=lambda row: row.optimizer),
        Field(key="status", data=lambda row: row.status.value),
        Field(key="lr", data=lambda row: _setting_value(shown, row, "lr")),
        Field(key="weight_decay", data=lambda row: _setting_value(shown, row, "weight_decay")),
        Field("setting", lambda row: Cell(_name(row, shown)), is_name=True, shrink_to=16),
        Field("dtype", lambda row: Cell(row.dtype, "dim", data=row.dtype), "dtype", optional=2),
        Field(
            "tensors",
            lambda row: count_cell(row.parameters),
            "parameters",
            is_number=True,
            optional=1,
        ),
        Field(
            "elements",
            lambda row: count_cell(row.elements, count_text(row.elements), "dim"),
            "elements",
            is_number=True,
            optional=1,
        ),
        _size("parameters", "parameter_bytes", lambda row: row.whole.parameters, "params"),
        _size("gradients", "gradient_bytes", lambda row: row.whole.gradients, "grads"),
        _size("state", "state_bytes", lambda row: row.whole.state_bytes),
        _size("total", "total_bytes", lambda row: row.whole.total),
        *sharded,
        Field("kept", lambda row: list_cell(row.kept, "dim", most=2), "kept", optional=1),
        Field(key="state_by_dtype", data=lambda row: row.whole.state and dict(row.whole.state)),
    )


def _sharded_fields(processes: int) -> tuple[Field[MemoryRow], ...]:
    return (
        Field(key="sharded_parameter_bytes", data=lambda row: _largest(row).parameters),
        Field(key="sharded_gradient_bytes", data=lambda row: _largest(row).gradients),
        Field(key="sharded_state_bytes", data=lambda row: _largest(row).state_bytes),
        _size(
            f"sharded over {processes}",
            "sharded_total_bytes",
            lambda row: _largest(row).total,
            f"1/{processes}",
        ),
    )


def _largest(row: MemoryRow) -> Footprint:
    assert row.largest is not None
    return row.largest


def _size(
    heading: str, key: str, size: Callable[[MemoryRow], int | None], short: str | None = None
) -> Field[MemoryRow]:
    def cell(row: MemoryRow) -> Cell:
        value = size(row)
        style = "yellow" if value is None else "bold" if heading == "total" else ""
        return Cell(
            size_text(value), style, "?" if value is None else None, data=value, order=value
        )

    optional = 3 if heading in ("parameters", "gradients") else 0
    return Field(heading, cell, key, short=short, is_number=True, optional=optional)


def _name(row: MemoryRow, shown: Selection) -> str:
    if row.setting is None:
        return f"{row.status.value}, in no group"
    return setting_text(shown.plan.settings[row.setting], shown.plan)


def _setting_value(shown: Selection, row: MemoryRow, name: str) -> float | None:
    if row.setting is None:
        return None
    value: float | None = getattr(shown.plan.settings[row.setting], name)
    return value


def _sum(parts: Sequence[Footprint | None]) -> Footprint:
    return reduce(add, [part for part in parts if part is not None], Footprint())


def _total_text(rows: Sequence[MemoryRow]) -> str:
    return _parts_text(_sum([row.whole for row in rows]))


def _parts_text(one: Footprint) -> str:
    state = one.state_bytes
    if state is None:
        known = size_text(one.parameters + one.gradients)
        return f"{known} and optimizer state that is not known"
    return (
        f"{size_text(one.total)} = parameters {size_text(one.parameters)} + gradients "
        f"{size_text(one.gradients)} + optimizer state {size_text(state)}"
    )


def _notes_blocks(shown: Selection, memory: PlanMemory) -> Iterator[Any]:
    from optplan.reporters.formats.terminal import Paragraph

    for note in _notes(shown, memory):
        yield Paragraph(note, style="dim", hanging=1)


def _notes(shown: Selection, memory: PlanMemory) -> Iterator[str]:
    if memory.processes is not None:
        yield from _sharded_notes(memory)
    for optimizer, state in zip(shown.plan.optimizers, memory.states, strict=True):
        yield f"state of {optimizer.name or optimizer.type}: {_state_text(state)}"
        if state.is_sparse:
            yield f"{optimizer.type} takes sparse gradients: they are counted as dense ones, the most that they take"
    yield _NOT_COUNTED


def _state_text(state: OptimizerState) -> str:
    if state.method is StateMethod.UNKNOWN:
        return f"not known: {state.reason}"
    text = _HOW[state.method]
    return f"{text}; kept for all parameters together, once" if state.together else text


def _sharded_notes(memory: PlanMemory) -> Iterator[str]:
    largest, smallest = (
        _sum([row.largest for row in memory.rows]),
        _sum([row.smallest for row in memory.rows]),
    )
    over = plural(memory.processes or 1, "process").replace("processs", "processes")
    yield f"sharded over {over} as FSDP2 does, along the first dimension: at most {_parts_text(largest)}"
    if largest.total is None:
        yield "how state of another shape than its parameter's is sharded depends on the class: not known"
    elif smallest.total != largest.total:
        yield f"the last process has {size_text(smallest.total)}: the last pieces are smaller"
    if any(row.has_scalars for row in memory.rows):
        yield "FSDP2 shards no parameter without dimensions: those are counted whole"
    yield f"replicated, each process has {size_text(_sum([row.whole for row in memory.rows]).total)}"


def _data(
    shown: Selection, memory: PlanMemory, fields: Sequence[Field[MemoryRow]]
) -> dict[str, Any]:
    """Return the values as ``schemas/memory-view-1.0.schema.json`` describes them."""
    sharded = memory.processes is not None
    return {
        "format_version": "1.0",
        "view": "memory",
        "config": shown.plan.config,
        "model": shown.plan.model.spec or shown.plan.model.class_name,
        "narrowed": str(shown.narrowing) or None,
        "processes": memory.processes,
        "optimizers": [
            {
                "name": optimizer.name,
                "class": optimizer.class_name,
                "state_known_by": state.method.value,
                "reason": state.reason or None,
            }
            for optimizer, state in zip(shown.plan.optimizers, memory.states, strict=True)
        ],
        "rows": list(records_of(fields, memory.rows)),
        "total": _footprint_data(_sum([row.whole for row in memory.rows])),
        "most_sharded": _footprint_data(_sum([row.largest for row in memory.rows]))
        if sharded
        else None,
        "least_sharded": _footprint_data(_sum([row.smallest for row in memory.rows]))
        if sharded
        else None,
    }


def _footprint_data(one: Footprint) -> dict[str, Any]:
    return {
        "parameter_bytes": one.parameters,
        "gradient_bytes": one.gradients,
        "state_bytes": one.state_bytes,
        "state_by_dtype": None if one.state is None else dict(one.state),
        "total_bytes": one.total,
    }
