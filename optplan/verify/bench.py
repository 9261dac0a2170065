"""Make a model and its optimizers anew for every run: none sees another's state."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn
from torch.distributed.optim import ZeroRedundancyOptimizer
from torch.nn.parallel import DistributedDataParallel
from torch.optim import Optimizer

from optplan.model import Memory, given_memory
from optplan.plan import Plan
from optplan.runtime.stdio import stdout_to_stderr
from optplan.verify.devices import exact_device
from optplan.verify.model_content import ModelContent
from optplan.verify.parallel import World, wrapping
from optplan.verify.planned_groups import make_reference
from optplan.verify.results import Mismatch, Parallel
from optplan.verify.seeded import SeededTensors, exact_dtype, seed_all
from optplan.verify.sharding import give_memory, shard
from optplan.verify.subject import ModelUnderTest, NamedOptimizer, arguments_of
from optplan.verify.tensors import local


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSource:
    """What is verified, as the user's code makes it.

    Args:
        plan: What it is held against.
        make_model: Makes the model, in training mode or not.
        make_optimizers: Makes the real optimizers on a model, as training does.
        wrappers: Classes around the optimizers whose own steps are not looked at.
    """

    plan: Plan
    make_model: Callable[[], nn.Module]
    make_optimizers: Callable[[nn.Module], Sequence[NamedOptimizer]]
    wrappers: tuple[str, ...] = ()


class ModelFactory:
    """Makes subjects: the model on its device, with fresh optimizers.

    Args:
        source: What to make.
        device: Where.
        dtype: Of the parameters in training; as the model makes them by default.
        parallel: How several processes share the model.
        world: The processes.
        seed: Of the model's initial values.

    Attributes:
        world: The processes.
        dtypes: The dtype in training of each parameter, by name.
        sizes: The root mean square of the values that the model itself gives them.
        touched: What the optimizer's constructor changes in the model.
    """

    def __init__(
        self,
        source: TrainingSource,
        device: torch.device,
        *,
        dtype: torch.dtype | None = None,
        parallel: Parallel | None = None,
        world: World | None = None,
        seed: int = 0,
    ) -> None:
        self._source = source
        self._device = device
        self._dtype = dtype
        self._parallel = parallel
        self._world = world or World()
        self.world = self._world
        self._seed = seed
        self._kept: nn.Module | None = None
        self.dtypes: Mapping[str, torch.dtype] = {}
        self.sizes: Mapping[str, float] = {}
        self.touched: tuple[Mismatch, ...] = ()

    def own(self) -> ModelUnderTest:
        """Return the model with the values that it gives itself, in the training's dtype; made first."""
        module = self._model(exact=False)
        module.zero_grad(set_to_none=True)
        before = ModelContent(module)
        subject = self._subject(module)
        self.touched = before.changes(ModelContent(module))
        self.sizes = self._sizes(subject)
        return subject

    def trained(self, sample: frozenset[str] | None = None) -> ModelUnderTest:
        """Return the model in the training's dtype, with whatever values the last run left."""
        return self._subject(self._model(exact=False), sample)

    def exact(self, sample: frozenset[str] | None = None) -> ModelUnderTest:
        """Return the model, or a sample of its tensors, in float64, with whatever values."""
        return self._subject(self._model(exact=True, sample=sample), sample)

    def reference(self, subject: ModelUnderTest) -> ModelUnderTest:
        """Return the same model with optimizers of the same classes, made again on the plan's groups."""
        made = tuple(map(_whole, self._made_optimizers(subject.module)))
        reference = replace(subject, optimizers=made)
        make_reference(reference)
        return reference

    def optimizers(self, subject: ModelUnderTest) -> tuple[NamedOptimizer, ...]:
        """Return the optimizers of a subject, made again."""
        return tuple(map(self._sharing, self._made_optimizers(subject.module)))

    def draws(self, *, exact: bool, sparse: frozenset[str] = frozenset()) -> SeededTensors:
        """Return what runs begin with: in the training's dtype as large as the model's own values."""
        if exact:
            dtypes = {name: exact_dtype(dtype) for name, dtype in self.dtypes.items()}
            return SeededTensors(seed=self._seed, dtypes=dtypes, sparse=sparse)
        return SeededTensors(seed=self._seed, dtypes=self.dtypes, sizes=self.sizes, sparse=sparse)

    def _subject(self, module: nn.Module, sample: frozenset[str] | None = None) -> ModelUnderTest:
        module.zero_grad(set_to_none=True)
        engine = self._engine(module)
        optimizers = tuple(map(self._sharing, self._made_optimizers(module)))
        return ModelUnderTest(
            module=module,
            engine=engine,
            plan=self._source.plan,
            optimizers=optimizers,
            sample=sample,
        )

    def _made_optimizers(self, module: nn.Module) -> Sequence[NamedOptimizer]:
        seed_all(self._seed)
        with stdout_to_stderr(), quick_groups():
            return self._source.make_optimizers(module)

    def _model(self, *, exact: bool, sample: frozenset[str] | None = None) -> nn.Module:
        if self._parallel is Parallel.FSDP:
            module = self._made(Memory.BUFFERS)
            dtypes = self._wanted(exact=exact)
            with wrapping("fully_shard"):
                shard(module, self._device, dtypes, self._world.size, self._seed)
            self._cast_buffers(module)
            return module
        if self._kept is None:
            self._kept = self._made(Memory.ALL)
            give_memory(self._kept, self._device)
            self._cast_buffers(self._kept)
        self._cast(self._kept, exact=exact, sample=sample)
        return self._kept

    def _made(self, memory: Memory) -> nn.Module:
        torch.manual_seed(self._seed)
        with given_memory(memory):
            module = self._source.make_model()
        if not self.dtypes:
            self.dtypes = {
                name: self._dtype if self._dtype and one.is_floating_point() else one.dtype
                for name, one in nn.Module.named_parameters(module, remove_duplicate=False)
            }
        return module

    def _wanted(self, *, exact: bool) -> dict[str, torch.dtype]:
        return {n: exact_dtype(t) if exact else t for n, t in self.dtypes.items()}

    def _cast(self, module: nn.Module, *, exact: bool, sample: frozenset[str] | None) -> None:
        """Change the parameters' data and leave the parameters the same objects."""
        wanted = dict(self.dtypes)
        if exact:
            names = wanted if sample is None else sample
            wanted |= {name: exact_dtype(wanted[name]) for name in names}
        device = exact_device(self._device) if exact else self._device
        for name, one in nn.Module.named_parameters(module):
            if one.is_floating_point() or one.is_complex():
                one.data = one.data.to(device=device, dtype=wanted[name])

    def _cast_buffers(self, module: nn.Module) -> None:
        """Cast buffers with the parameters where the user names a dtype, as ``module.to`` does."""
        for part in module.modules():
            for name, buffer in part._buffers.items():  # noqa: SLF001
                if self._dtype and buffer is not None and buffer.is_floating_point():
                    part._buffers[name] = buffer.to(self._dtype)  # noqa: SLF001

    def _engine(self, module: nn.Module) -> nn.Module:
        if self._parallel not in (Parallel.DDP, Parallel.ZERO):
            return module
        # parameters without gradient are reported, they must not end the run
        with wrapping("DistributedDataParallel"):
            return DistributedDataParallel(module, find_unused_parameters=True)

    def _sharing(self, named: NamedOptimizer) -> NamedOptimizer:
        """Return the optimizer, its state shared out where that is asked for."""
        made = named.optimizer
        if self._parallel is not Parallel.ZERO or isinstance(made, ZeroRedundancyOptimizer):
            return named
        with wrapping("ZeroRedundancyOptimizer"):
            return NamedOptimizer(name=named.name, optimizer=_zero(made))

    def _sizes(self, subject: ModelUnderTest) -> dict[str, float]:
        squares = {
            held.name: float(local(held.tensor.detach()).abs().float().square().sum())
            for held in subject.stepped
        }
        if self._parallel is Parallel.FSDP:
            squares = self._world.summed(squares)
        return {
            held.name: (squares[held.name] / max(held.tensor.numel(), 1)) ** 0.5
            for held in subject.stepped
        }


def _whole(named: NamedOptimizer) -> NamedOptimizer:
    """Return the optimizer without its state shared out: on all parameters, on each process."""
    outer = named.optimizer
    if not isinstance(outer, ZeroRedundancyOptimizer):
        return named
    make: Any = type(outer.optim)
    made: Optimizer = make(
        [dict(group) for group in outer.param_groups], **arguments_of(outer.optim)
    )
    return NamedOptimizer(name=named.name, optimizer=made)


def _zero(made: Optimizer) -> ZeroRedundancyOptimizer:
    """Return an optimizer of the same class and groups whose state each process holds a part of."""
    defaults: dict[str, Any] = arguments_of(made)
    return ZeroRedundancyOptimizer(
        [dict(group) for group in made.param_groups], optimizer_class=type(made), **defaults
    )


@contextmanager
def quick_groups() -> Iterator[None]:
    """Look for a parameter in two groups by one set for all of them, instead of a new one for each group.

    torch gathers the members of all groups for each that is added: with a group for each of 8,000 parameters
    that took more time than all steps.
    """
    original = Optimizer.add_param_group
    members: dict[int, set[int]] = {}

    def add_param_group(self: Optimizer, param_group: dict[str, Any]) -> None:
        known = members.setdefault(id(self), set())
        groups = vars(self).get("param_groups")
        given = param_group.get("params")
        members_given = given if isinstance(given, list) else []
        added = {id(one) for one in members_given if isinstance(one, torch.Tensor)}
        is_plain = bool(added) and len(added) == len(members_given)
        if not groups or not is_plain or known & added:
            original(self, param_group)  # which raises, or takes what is no plain list
        else:
            self.param_groups = []
            try:
                original(self, param_group)
                groups += self.param_groups
            finally:
                self.param_groups = groups
        known.update(id(one) for one in self.param_groups[-1]["params"])

    Optimizer.add_param_group = add_param_group  # type: ignore[method-assign]
    try:
        yield
    finally:
        # the user's code may have put another there
        if Optimizer.add_param_group is add_param_group:
            Optimizer.add_param_group = original  # type: ignore[method-assign]
