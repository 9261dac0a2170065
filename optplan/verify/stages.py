"""The stages of a verification, each with optimizers of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial

from torch import nn

from optplan.errors import UsageError, VerifyError, listed
from optplan.runtime.progress_line import clear_progress, say_progress, show_progress
from optplan.verify.bench import ModelFactory, TrainingSource
from optplan.verify.compared_runs import Conditions
from optplan.verify.cost import measure_cost, reset_peak
from optplan.verify.devices import ChosenDevice, exact_device, free_bytes, within_memory
from optplan.verify.families import MatchedFormula
from optplan.verify.hooks import gradient_hooks, hooks_of
from optplan.verify.inputs import ForwardInputs, known_batch
from optplan.verify.measuring import measure
from optplan.verify.movement import Movements, find_movements
from optplan.verify.options import VerifyOptions
from optplan.verify.parallel import Found, World, differing, merged
from optplan.verify.program import Program
from optplan.verify.real_step import take_real_step
from optplan.verify.results import Cost, Mismatch, NoRealStep, Parallel, RealStep
from optplan.verify.sample import element_counts, fitting, with_unchecked
from optplan.verify.seeded import exact_dtype
from optplan.verify.structure import compare_structure
from optplan.verify.subject import ModelUnderTest
from optplan.verify.tensors import fingerprint

# Steps in which a few parameters alone have gradients: what begins late shows.
_TAIL = 28
# What a step takes, in multiples of the parameters: they, their gradients, two moments.
_COPIES = 4


class ParameterVerifier:
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
        families: The formula of each optimizer, by number.
        class_names: Of the optimizers, by number.
        hooks: The hooks of the user's code, as text.
        is_refused: Whether an optimizer raised.
    """

    def __init__(
        self, source: TrainingSource, chosen: ChosenDevice, terms: VerifyOptions, world: World
    ) -> None:
        self.source = source
        self.chosen = chosen
        self.terms = terms
        self.world = world
        self.bench = ModelFactory(
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
        self.families: Mapping[int, MatchedFormula] = {}
        self.class_names: dict[int, str] = {}
        self.hooks: tuple[str, ...] = ()
        self.is_refused = False
        self._sparse: frozenset[str] = frozenset()
        self._counts: Mapping[str, int] = {}
        self._disagreeing: list[Mismatch] = []
        if world.rank:
            show_progress(shows=False)  # one process tells

    def found(self) -> Found:
        """Return what they find, all processes together.

        Raises:
            OptplanError: A stage could not be done.
        """
        try:
            return self._found()
        finally:
            clear_progress()

    def _found(self) -> Found:
        device = self.chosen.device
        reset_peak(device)
        say_progress("the model and a training step")
        with within_memory("the model and a training step", device):
            subject = self.bench.own()
            mismatches = [*compare_structure(subject), *self._looked_over(subject)]
            self.step = self._real_step(subject)
        if self.terms.cost:
            with within_memory("timing the optimizer", device):
                self.cost = self._cost()
        del subject
        sample = self._sample(exact=True)
        exact, trained = self._movements(sample)
        say_progress("lr and weight decay")
        with within_memory("measuring lr and weight decay", exact_device(device)):
            draws = self.bench.draws(exact=True, sparse=self._sparse)
            measured = measure(partial(self.bench.exact, sample), draws, self.families)
        return merged(
            self.world,
            Found(
                mismatches=(*mismatches, *exact.mismatches),
                exact=exact.moved,
                trained=None if trained is None else trained.moved,
                measured=measured,
                disagreeing=tuple(self._disagreeing),
            ),
        )

    def _looked_over(self, subject: ModelUnderTest) -> Iterator[Mismatch]:
        """Take note of the optimizers; yield what hooks and the constructor do to values and gradients."""
        self.groups = sum(len(one.optimizer.param_groups) for one in subject.optimizers)
        self.class_names = {
            number: type(one.inner).__name__ for number, one in enumerate(subject.optimizers)
        }
        self._sparse = _sparse_parameters(subject)
        self._counts = element_counts(subject)
        self.hooks = tuple(map(str, hooks_of(subject)))
        for one in self.bench.touched:
            if one.what == "requires_grad":  # a constructor may freeze what it does not train
                self.remarks.append(
                    f"the optimizer's constructor has {one.built}: {listed(one.parameters)}"
                )
            else:
                yield one
        yield from gradient_hooks(subject)

    def _real_step(self, subject: ModelUnderTest) -> RealStep | NoRealStep:
        terms = self.terms
        if terms.forward is False:
            return NoRealStep(reason="left out: --no-forward")
        batch = (
            ForwardInputs(positional=terms.inputs) if terms.inputs else known_batch(subject.module)
        )
        if batch is None:
            if terms.forward:
                raise UsageError(
                    "--forward: the shape of the model's input is not known",
                    hint="give it: --input 2x3x224x224",
                )
            return NoRealStep(
                reason="left out, the input is not known: give it as --input 2x3x224x224"
            )
        try:
            taken = take_real_step(
                subject,
                batch,
                self.chosen.device,
                amp=terms.amp,
                seed=terms.seed + self.world.rank,
            )
        except VerifyError as error:
            if batch.source is None or terms.forward:
                raise
            return NoRealStep(
                reason=f"left out, with its own {batch.source} {error.problems[0].message}: give --input"
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

    def _movements(self, exact_sample: frozenset[str] | None) -> tuple[Movements, Movements | None]:
        device = self.chosen.device
        exact_on = exact_device(device)
        if exact_on != device:
            self.remarks.append(f"{device.type} has no float64: what is in float64 ran on the CPU")
        program = Program(full=self.terms.steps, tail=_TAIL, resumes=True, has_zeros=True)
        with within_memory("steps in float64", exact_on):
            exact = self._moved(self.bench.exact(exact_sample), program, in_float64=True)
        self.families = exact.families
        dtypes = self.bench.dtypes
        if all(dtype == exact_dtype(dtype) for dtype in dtypes.values()):
            return exact, None
        with within_memory("steps in the training's dtype", device):
            short = replace(exact.program, tail=0, resumes=False, has_zeros=False)
            sample = self._sample(exact=False)
            trained = self._moved(self.bench.trained(sample), short, in_float64=False)
        return exact, trained

    def _moved(self, subject: ModelUnderTest, program: Program, *, in_float64: bool) -> Movements:
        label = "float64" if in_float64 else "the training's dtype"
        conditions = Conditions(
            draws=self.bench.draws(exact=in_float64, sparse=self._sparse),
            program=program,
            in_float64=in_float64,
            label=label,
            families=None if in_float64 else self.families,
        )
        moved = find_movements(self.bench, subject, conditions)
        if subject.sample is not None:
            moved = replace(moved, moved=with_unchecked(subject, moved.moved))
        self.is_refused = self.is_refused or moved.is_refused
        self._agree(subject, f"after steps in {label}")
        self.remarks += [note for note in moved.notes if note not in self.remarks]
        return moved

    def _sample(self, *, exact: bool) -> frozenset[str] | None:
        """Return the tensors that can be stepped in the memory there is; None where all can."""
        device = exact_device(self.chosen.device) if exact else self.chosen.device
        free = free_bytes(device)
        if free is None or self.terms.parallel is not None:
            return None
        dtypes = self.bench.draws(exact=exact).dtypes
        sizes = {n: _COPIES * count * dtypes[n].itemsize for n, count in self._counts.items()}
        # the values that are there already give way
        held = sum(count * self.bench.dtypes[n].itemsize for n, count in self._counts.items())
        needed = sum(sizes.values()) - held
        if needed <= free:
            return None
        sample = fitting(sizes, free)
        self.remarks.append(
            f"not checked in {'float64' if exact else 'the dtype of the training'}: "
            f"{len(sizes) - len(sample)} of {len(sizes)} tensors, which take {needed / 2**30:.3g} GiB "
            f"to step where {free / 2**30:.3g} GiB are free on {device}; the smallest of each kind were stepped"
        )
        return sample

    def _agree(self, subject: ModelUnderTest, when: str) -> None:
        """Refuse processes that hold different values, where each holds the whole model."""
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


def _sparse_parameters(subject: ModelUnderTest) -> frozenset[str]:
    """Return the weights that get sparse gradients: of embeddings that were made so."""
    return frozenset(
        subject.names[id(module.weight)]
        for module in subject.module.modules()
        if isinstance(module, nn.Embedding | nn.EmbeddingBag) and module.sparse
    )
