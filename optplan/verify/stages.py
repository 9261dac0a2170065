"""The stages of a verification, each with optimizers of its own."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from optplan.errors import UsageError
from optplan.verify.agreement import Found, merged
from optplan.verify.bench import Bench, Source
from optplan.verify.cost import measure_cost, reset_peak
from optplan.verify.devices import ChosenDevice, exact_device, within_memory
from optplan.verify.inputs import InputShape, known_inputs
from optplan.verify.judging import judge_exact, judge_trained
from optplan.verify.measuring import measure
from optplan.verify.movement import Movements, find_movements
from optplan.verify.parallel import World, differing
from optplan.verify.real_step import take_real_step
from optplan.verify.results import (
    Cost,
    Mismatch,
    NoRealStep,
    Parallel,
    RealStep,
)
from optplan.verify.seeded import exact_dtype
from optplan.verify.structure import compare_structure
from optplan.verify.subject import Subject
from optplan.verify.tensors import fingerprint


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the user asks for.

    Args:
        steps: Steps of each run.
        seed: Of all values.
        dtype: Of the parameters in training; the model's own by default.
        forward: Whether a real step is done; None where it depends on whether an input is known.
        inputs: The shapes of the model's input; what timm knows by default.
        amp: Whether the forward runs under autocast.
        cost: Whether steps are timed.
        parallel: How several processes share the model.
    """

    steps: int = 2
    seed: int = 0
    dtype: torch.dtype | None = None
    forward: bool | None = None
    inputs: tuple[InputShape, ...] = ()
    amp: bool = False
    cost: bool = True
    parallel: Parallel | None = None


class Stages:
    """The stages, one after the other.

    Args:
        source: What is verified.
        chosen: The device.
        terms: What is asked for.
        world: The processes.

    Attributes:
        bench: Makes what each stage works on.
        groups: How many groups the real optimizers have.
        step: The real step, or why there was none.
        cost: What a step costs.
        remarks: What else a reader should know.
        coupled: The optimizers, by number, that couple their parameters.
        class_names: Of the optimizers, by number.
    """

    def __init__(self, source: Source, chosen: ChosenDevice, terms: Terms, world: World) -> None:
        self.source = source
        self.chosen = chosen
        self.terms = terms
        self.world = world
        self.bench = Bench(
            source,
            chosen.device,
            dtype=terms.dtype,
            parallel=terms.parallel,
            world=world,
            seed=terms.seed,
        )
        self.groups = 0
        self.step: RealStep | NoRealStep = NoRealStep(reason="")
        self.cost: Cost | None = None
        self.remarks: list[str] = []
        self.coupled: frozenset[int] = frozenset()
        self.class_names: dict[int, str] = {}
        self._sparse: frozenset[str] = frozenset()
        self._disagreeing: list[Mismatch] = []

    def found(self) -> Found:
        """What they find, all processes together.

        Raises:
            OptplanError: A stage could not be done.
        """
        device = self.chosen.device
        reset_peak(device)
        with within_memory("the model and a training step", device):
            subject = self.bench.own()
            mismatches = compare_structure(subject)
            self.groups = sum(len(one.optimizer.param_groups) for one in subject.optimizers)
            self.class_names = {
                number: type(one.inner).__name__ for number, one in enumerate(subject.optimizers)
            }
            self._sparse = _sparse_parameters(subject)
            self.step = self._real_step(subject)
        if self.terms.cost:
            with within_memory("timing the optimizer", device):
                self.cost = self._cost()
        del subject
        exact, trained = self._movements()
        with within_memory("measuring lr and weight decay", exact_device(device)):
            measured = measure(
                self.bench.exact, self.bench.draws(exact=True, sparse=self._sparse), self.coupled
            )
        return merged(
            self.world,
            Found(
                mismatches=mismatches,
                exact=exact.moved,
                trained=None if trained is None else trained.moved,
                measured=measured,
                disagreeing=tuple(self._disagreeing),
            ),
        )

    def _real_step(self, subject: Subject) -> RealStep | NoRealStep:
        terms = self.terms
        if terms.forward is False:
            return NoRealStep(reason="left out: --no-forward")
        inputs = terms.inputs or known_inputs(subject.module)
        if not inputs:
            if terms.forward:
                raise UsageError(
                    "--forward: the shape of the model's input is not known",
                    hint="give it: --input 2x3x224x224",
                )
            return NoRealStep(
                reason="left out, the input is not known: give it as --input 2x3x224x224"
            )
        taken = take_real_step(
            subject,
            inputs,
            self.chosen.device,
            amp=terms.amp,
            seed=terms.seed + self.world.rank,
        )
        self._agree(subject, "after the real step")
        if terms.parallel in (Parallel.DDP, Parallel.ZERO) and taken.without_gradient:
            self.remarks.append(
                "DistributedDataParallel fails in its second step on parameters without gradient, "
                "unless it is made with find_unused_parameters=True"
            )
        return taken

    def _cost(self) -> Cost | None:
        subject = self.bench.trained()
        draws = self.bench.draws(exact=False, sparse=self._sparse)
        is_alone = self.world.size == 1
        cost = measure_cost(subject, draws, self.chosen.device, alone=is_alone)
        if cost is None:
            self.remarks.append("a step of this optimizer cannot be timed by itself")
        return cost

    def _movements(self) -> tuple[Movements, Movements | None]:
        device, steps = self.chosen.device, self.terms.steps
        exact_on = exact_device(device)
        if exact_on != device:
            self.remarks.append(f"{device.type} has no float64: what is in float64 ran on the CPU")
        with within_memory("steps in float64", exact_on):
            subject = self.bench.exact()
            exact = find_movements(
                subject,
                self.bench.draws(exact=True, sparse=self._sparse),
                steps,
                lambda _, way: judge_exact(way),
                in_float64=True,
            )
            self._agree(subject, "after steps in float64")
        # a process that holds nothing of a parameter sees nothing of it
        self.coupled = frozenset().union(*self.world.gathered(exact.coupled))
        if exact.noisy:
            self.remarks.append(
                f"{len(exact.noisy)} of the parameters agree to {max(exact.noisy.values()):.1g} of their way "
                "only: their optimizer computes in less than float64, or in another order than on the CPU"
            )
        dtypes = self.bench.dtypes
        if all(dtype == exact_dtype(dtype) for dtype in dtypes.values()):
            return exact, None
        with within_memory("steps in the training's dtype", device):
            subject = self.bench.trained()
            trained = find_movements(
                subject,
                self.bench.draws(exact=False, sparse=self._sparse),
                steps,
                lambda held, way: judge_trained(way, dtypes[held.name], steps),
                self.coupled,
                in_float64=False,
            )
            self._agree(subject, "after steps in the training's dtype")
        return exact, trained

    def _agree(self, subject: Subject, when: str) -> None:
        """Every process must hold the same values, where each holds the whole model."""
        if self.terms.parallel not in (Parallel.DDP, Parallel.ZERO):
            return
        numbers = {held.name: fingerprint(held.tensor) for held in subject.held}
        by_ranks: dict[tuple[int, ...], list[str]] = {}
        for name, ranks in differing(self.world, numbers).items():
            by_ranks.setdefault(ranks, []).append(name)
        self._disagreeing += [
            Mismatch(
                what=f"values {when}",
                planned="the same on every process",
                built=f"others on process {', '.join(map(str, ranks))}",
                parameters=tuple(names),
            )
            for ranks, names in by_ranks.items()
        ]


def _sparse_parameters(subject: Subject) -> frozenset[str]:
    """Weights that get sparse gradients: of embeddings that were made so."""
    return frozenset(
        subject.names[id(module.weight)]
        for module in subject.module.modules()
        if isinstance(module, nn.Embedding | nn.EmbeddingBag) and module.sparse
    )
