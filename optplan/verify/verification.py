"""Verify a plan: structure, a real step, cost, movement in two dtypes, measured values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch

from optplan.errors import VerifyError
from optplan.verify.bench import TrainingSource
from optplan.verify.devices import ChosenDevice
from optplan.verify.families import MatchedFormula
from optplan.verify.options import VerifyOptions
from optplan.verify.parallel import Found, joined_processes
from optplan.verify.results import (
    Measured,
    Movement,
    Oracle,
    ParameterResult,
    RunEnvironment,
    Verification,
)
from optplan.verify.stages import ParameterVerifier


def verify(
    source: TrainingSource,
    chosen: ChosenDevice,
    terms: VerifyOptions,
    *,
    plan_source: str | None = None,
) -> Verification:
    """Hold the real optimizer against a plan.

    Args:
        source: Makes the model and its optimizers, and has the plan.
        chosen: The device.
        terms: What is asked for.
        plan_source: The path of the saved plan, where it is one.

    Raises:
        VerifyError: It could not be done: no memory, a forward that raises, nothing that could be checked.
        PlanError: The optimizer or its constructor refuses.
    """
    with (
        joined_processes(terms.parallel, chosen.device) as world,
        _own_random_numbers(chosen),
        _eager(),
    ):
        run = ParameterVerifier(source, chosen, terms, world)
        found = run.found()
        return _verification(run, found, plan_source)


def _eager() -> AbstractContextManager[object]:
    """Run what is compiled without compiling it: references would be compiled one by one, and hit its limit."""
    stance = getattr(torch.compiler, "set_stance", None)  # since torch 2.6
    found: AbstractContextManager[object] = (
        nullcontext() if stance is None else stance("force_eager")
    )
    return found


@contextmanager
def _own_random_numbers(chosen: ChosenDevice) -> Iterator[None]:
    """Leave torch's generators as they are."""
    devices = [chosen.device.index or 0] if chosen.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        yield


def _verification(run: ParameterVerifier, found: Found, plan_source: str | None) -> Verification:
    plan, terms = run.source.plan, run.terms
    rows = {row.name: row for row in plan.parameters}
    parameters = tuple(
        ParameterResult(
            name=name,
            optimizer=rows[name].optimizer,
            setting=rows[name].setting,
            lr=rows[name].lr,
            weight_decay=rows[name].weight_decay,
            measured=found.measured.get(name, Measured()),
            exact=moved,
            trained=None if found.trained is None else found.trained[name],
            joint=_is_joint(run, rows[name].optimizer),
        )
        for name, moved in found.exact.items()
    )
    mismatches = (*found.mismatches, *found.disagreeing)
    if not mismatches and run.is_refused:
        _refuse_nothing(parameters)
    return Verification(
        plan=plan,
        plan_source=plan_source,
        place=RunEnvironment(
            device=str(run.chosen.device),
            chosen=run.chosen.chosen,
            dtypes=tuple(
                dict.fromkeys(str(t).removeprefix("torch.") for t in run.bench.dtypes.values())
            ),
            steps=terms.steps,
            seed=terms.seed,
            parallel=terms.parallel,
            processes=run.world.size,
        ),
        groups=run.groups,
        mismatches=mismatches,
        parameters=parameters,
        coupled=tuple(name for number, name in run.class_names.items() if _is_joint(run, number)),
        remarks=tuple(run.remarks),
        oracles=tuple(map(_oracle, run.families.values())),
        hooks=run.hooks,
        wrappers=run.source.wrappers,
        step=run.step,
        cost=run.cost,
    )


def _is_joint(run: ParameterVerifier, number: int | None) -> bool:
    """Return whether the movement of a parameter is held by its optimizer as a whole alone."""
    family = run.families.get(-1 if number is None else number)
    return family is not None and (family.formula is None or family.formula.reads_all)


def _oracle(family: MatchedFormula) -> Oracle:
    return Oracle(
        optimizer=family.optimizer,
        class_name=family.class_name,
        formula=None if family.formula is None else family.formula.name,
        reason=family.reason,
    )


def _refuse_nothing(parameters: Iterable[ParameterResult]) -> None:
    """Refuse a verification that checks nothing: it proves nothing.

    Raises:
        VerifyError: No parameter that should move could be checked.
    """
    moving = [one for one in parameters if one.exact.movement is not Movement.STILL]
    unchecked = Movement.UNCHECKED
    if moving and all(m.movement is unchecked for one in moving for m in one.movements):
        raise VerifyError(
            f"no parameter's movement could be checked: {moving[0].exact.reason}",
            hint="its groups can be seen without a step: optplan show",
        )
