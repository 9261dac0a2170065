"""Work out what decoupled weight decay does over a whole training, exact over the schedule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import log, pi, prod, sqrt
from typing import Any

from optplan.schedule.schedule import Schedule
from optplan.schedule.simulation import CurveSource, Simulation
from optplan.schedule.training import Unit

_CHUNK = 128


class DecayKind(StrEnum):
    """How a class applies weight decay λ at the learning rate η."""

    DECOUPLED = "decoupled"
    """``w ← (1 − ηλ) w``, beside the step (Loshchilov and Hutter 2019, arXiv:1711.05101)."""
    PROXIMAL = "decoupled, proximal"
    """``w ← w / (1 + ηλ)``, as Adan does (arXiv:2208.06677)."""
    PLAIN_L2 = "L2 without momentum"
    """``g ← g + λw``, where nothing keeps or scales gradients: the same as decoupled decay."""
    COUPLED = "coupled L2"
    """``g ← g + λw``, which momentum keeps and an adaptive step scales."""
    UNKNOWN = "not known"


FACTORED = frozenset({DecayKind.DECOUPLED, DecayKind.PROXIMAL, DecayKind.PLAIN_L2})


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectiveDecay:
    """What decay does to a setting's weights.

    Args:
        left: The share of a weight that the decay of all steps leaves.
        peak: The largest ηλ of a step.
        steps: How many iterations there are.
        rotation: The angle in radians by which a scale-invariant weight turns per step in equilibrium at the
            largest ηλ, an estimate; None where no formula is known for the class.
    """

    left: float
    peak: float
    steps: int
    rotation: float | None = None

    @property
    def timescale(self) -> float | None:
        """Return 1/(ηλ) in steps at the largest ηλ (Wang and Aitchison 2024, arXiv:2405.13698)."""
        return 1 / self.peak if self.peak > 0 else None

    @property
    def mean_timescale(self) -> float | None:
        """Return after how many steps decay leaves 1/e, on the average of the training."""
        return -self.steps / log(self.left) if 0 < self.left < 1 else None


@dataclass(slots=True)
class _Product:
    """The product and the peak of one lr and weight decay, moved or constant.

    Args:
        lr, decay: The values: those of a column, or constant.
        sign: 1 where a step multiplies by ``1 - ηλ``, -1 where it divides by ``1 + ηλ``.
    """

    lr: CurveSource
    decay: CurveSource
    sign: int
    left: float = 1.0
    peak: float = 0.0

    def take(self, columns: Mapping[str, Sequence[Sequence[float]]], count: int) -> None:
        """Multiply by what each row of the columns leaves, ``count`` times over."""
        lrs, decays = self.lr.column(columns["lr"]), self.decay.column(columns["weight_decay"])
        if not isinstance(decays, float):
            pairs = zip(_repeated(lrs, decays), decays, strict=True)
            lrs, decays = [lr * decay for lr, decay in pairs], 1.0
        elif isinstance(lrs, float):
            lrs = [lrs]
        self.peak = max(self.peak, max(lrs) * decays)
        decays *= self.sign
        factors = [1.0 - lr * decays for lr in lrs]
        self.left *= prod(factors) if count == 1 else prod([one**count for one in factors])


def _repeated(value: Sequence[float] | float, like: Sequence[float]) -> Sequence[float]:
    return [value] * len(like) if isinstance(value, float) else value


class _Totals:
    """The products of one optimizer's settings, taken while its schedulers are stepped."""

    def __init__(self, products: Sequence[_Product], entries: Mapping[str, list[Any]], often: int):
        self._products, self._entries, self._often = products, entries, often
        self._rows: list[tuple[list[float], list[float]]] = []

    def watch(self, count: int) -> None:
        """Take the present values for so many steps."""
        row = self._entries.get("lr", []), self._entries.get("weight_decay", [])
        if count == 1:
            self._rows.append(row)
            if len(self._rows) == _CHUNK:
                self.flush()
            return
        self.flush()
        self._take([row], count)

    def flush(self) -> None:
        """Take the rows that have been seen."""
        if self._rows:
            self._take(self._rows, 1)
            self._rows = []

    def _take(self, rows: Sequence[tuple[list[float], list[float]]], count: int) -> None:
        lrs, decays = zip(*rows, strict=True)
        columns = {
            "lr": list(zip(*lrs, strict=True)),
            "weight_decay": list(zip(*decays, strict=True)),
        }
        for product in self._products:
            product.take(columns, count * self._often)


def effective_decays(
    schedule: Schedule, kinds: Sequence[DecayKind]
) -> tuple[EffectiveDecay | None, ...]:
    """Return what decay does to each setting: ``∏(1 − η_t λ_t)`` over every iteration.

    The product of a constant stretch is a power; it equals the product step by step in float64.

    Args:
        schedule: The schedulers and the settings.
        kinds: How each setting's optimizer applies weight decay.

    Returns:
        None for a setting that has no lr or no weight decay, whose values depend on a metric, or where the
        number of iterations is not known.

    Raises:
        ScheduleError: A scheduler breaks down, or the training is too long to follow.
    """
    steps = schedule.training.iterations
    if steps is None:
        return (None,) * len(schedule.settings)
    motion = Simulation(schedule)
    unknown = {
        optimizer for optimizer, field in motion.metrics() if field in ("lr", "weight_decay")
    }
    often = steps // schedule.length if schedule.unit is Unit.EPOCH else 1
    found: dict[Any, _Product] = {}
    keys: list[Any] = []
    for at, (setting, kind) in enumerate(zip(schedule.settings, kinds, strict=True)):
        lr, decay = motion.source(at, "lr"), motion.source(at, "weight_decay")
        sign = -1 if kind is DecayKind.PROXIMAL else 1
        is_told = lr is not None and decay is not None and setting.optimizer not in unknown
        key = (setting.optimizer, lr, decay, sign) if is_told else None
        keys.append(key)
        if key is not None and lr is not None and decay is not None:
            found.setdefault(key, _Product(lr, decay, sign))
    for optimizer in {key[0] for key in found}:
        products = [product for key, product in found.items() if key[0] == optimizer]
        _follow(motion, optimizer, products, often, schedule.length)
    return tuple(
        None if key is None else _result(found[key], steps, kind, schedule, at)
        for at, (key, kind) in enumerate(zip(keys, kinds, strict=True))
    )


def _follow(
    motion: Simulation, optimizer: int, products: Sequence[_Product], often: int, length: int
) -> None:
    stepper = motion.stepper(optimizer)
    totals = _Totals(products, stepper.table.entries, often)
    stepper.watch = totals.watch
    stepper.go(length)
    totals.flush()


def _result(
    product: _Product, steps: int, kind: DecayKind, schedule: Schedule, at: int
) -> EffectiveDecay:
    setting = schedule.settings[at]
    name = schedule.optimizers[setting.optimizer].class_name.rpartition(".")[2]
    return EffectiveDecay(
        left=product.left if product.sign > 0 else 1 / product.left,
        peak=product.peak,
        steps=steps,
        rotation=equilibrium_rotation(name, kind, product.peak, setting.entries),
    )


def equilibrium_rotation(
    class_name: str, kind: DecayKind, rate: float, entries: Mapping[str, Any]
) -> float | None:
    """Return the angle by which a weight turns per step in equilibrium; None where no formula is known.

    An estimate for weights whose scale has no effect (those before a normalization), under random gradients:
    AdamW ``√(2ηλ(1−β₁)/(1+β₁))``, Lion ``√(πηλ((1−β₁)² + β₁²(1−β₂)/(1+β₂)))``, SGD with momentum α and coupled
    decay ``√(2ηλ/(1+α))`` (Kosson et al. 2024, arXiv:2305.17212), SGD with decoupled decay
    ``√(2ηλ(1−α)/(1+α))`` by the same derivation.

    Args:
        class_name: The bare name of the optimizer's class.
        kind: How it applies weight decay.
        rate: ηλ.
        entries: The other entries of the group.
    """
    switched = ("amsgrad", "nesterov", "caution", "dampening", "maximize")
    if rate <= 0 or any(entries.get(name) for name in switched):
        return None
    is_l2 = kind in (DecayKind.COUPLED, DecayKind.PLAIN_L2)
    momentum, betas = entries.get("momentum"), tuple(entries.get("betas") or ())
    if class_name in ("SGD", "SGDW") and isinstance(momentum, int | float) and 0 <= momentum < 1:
        if is_l2:
            return sqrt(2 * rate / (1 + momentum))
        if kind is DecayKind.DECOUPLED:
            return sqrt(2 * rate * (1 - momentum) / (1 + momentum))
    if kind is not DecayKind.DECOUPLED or len(betas) != 2:
        return None
    first, second = betas
    if class_name in ("AdamW", "AdamWLegacy", "Adam"):
        return sqrt(2 * rate * (1 - first) / (1 + first))
    if class_name == "Lion":
        return sqrt(pi * rate * ((1 - first) ** 2 + first**2 * (1 - second) / (1 + second)))
    return None
