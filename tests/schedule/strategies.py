"""Random stacks of schedulers, as configs write them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from optplan.schedule import Training

factors = st.sampled_from([0.0, 1e-6, 0.001, 0.1, 1 / 3, 0.5, 0.9, 1.0])
floors = st.sampled_from([0, 0.0, 1e-6, 1e-4, 0.003, 0.2])
gammas = st.sampled_from([0.1, 0.5, 0.97, 1.0, 1.5, 0])


def trainings() -> st.SearchStrategy[Training]:
    """Short ones, by epochs or by iterations."""
    by_epoch = st.builds(
        Training, by_epoch=st.just(True), length=st.integers(1, 12), per_epoch=st.integers(1, 7)
    )
    by_iteration = st.builds(
        Training, by_epoch=st.just(False), length=st.integers(1, 60), per_epoch=st.integers(1, 7)
    )
    return by_epoch | by_iteration


def _floor(draw: st.DrawFn) -> dict[str, Any]:
    if draw(st.booleans()):
        return {"eta_min": draw(floors)}
    return {"eta_min_ratio": draw(st.sampled_from([0.0, 0.01, 0.5, 1.0]))}


def _own(draw: st.DrawFn, family: str) -> dict[str, Any]:
    counts = st.integers(1, 15)
    match family:
        case "Step":
            return {"step_size": draw(counts), "gamma": draw(gammas)}
        case "MultiStep":
            milestones = draw(st.lists(st.integers(0, 20), max_size=5))
            return {"milestones": milestones, "gamma": draw(gammas)}
        case "Constant":
            return {"factor": draw(factors)}
        case "Exponential":
            return {"gamma": draw(gammas)}
        case "CosineAnnealing":
            own = {"T_max": draw(counts)} if draw(st.booleans()) else {}
            return own | (_floor(draw) if draw(st.booleans()) else {})
        case "Linear":
            return {"start_factor": draw(factors), "end_factor": draw(factors)}
        case "Poly":
            return {"eta_min": draw(floors), "power": draw(st.sampled_from([0.9, 1.0, 2, 0.5]))}
        case "OneCycle":
            own = {"total_steps": draw(st.integers(1, 80))} if draw(st.booleans()) else {}
            return own | {
                "eta_max": draw(st.sampled_from([0.1, 1.0, 0.0003])),
                "pct_start": draw(st.sampled_from([0.0, 0.1, 0.3, 0.5, 1.0])),
                "anneal_strategy": draw(st.sampled_from(["cos", "linear"])),
                "three_phase": draw(st.booleans()),
            }
        case _:
            periods = draw(st.lists(counts, min_size=1, max_size=4))
            weights = [draw(st.sampled_from([1, 0.5, 0.1, 2.0])) for _ in periods]
            return {"periods": periods, "restart_weights": weights, **_floor(draw)}


@st.composite
def schedulers(draw: st.DrawFn, training: Training) -> dict[str, Any]:
    """One scheduler that the reference accepts at first sight."""
    family = draw(
        st.sampled_from(
            [
                "Step",
                "MultiStep",
                "Constant",
                "Exponential",
                "CosineAnnealing",
                "Linear",
                "Poly",
                "OneCycle",
                "CosineRestart",
            ]
        )
    )
    targets = ["LR", "LR", "LR", "Momentum", "ParamScheduler"]
    target = draw(st.sampled_from(targets if family != "OneCycle" else ["LR"]))
    found: dict[str, Any] = {"type": f"{family}{target}", **_own(draw, family)}
    if target == "ParamScheduler":
        found["param_name"] = draw(st.sampled_from(["lr", "weight_decay"]))
    by_epoch = draw(st.booleans())
    if by_epoch and draw(st.booleans()):
        found["convert_to_iter_based"] = True
    if not by_epoch or draw(st.booleans()):
        found["by_epoch"] = by_epoch
    length = training.epochs if by_epoch else training.iterations or 1
    begin = draw(st.integers(0, max(length - 1, 0)))
    if draw(st.booleans()):
        found["begin"] = begin
    if draw(st.booleans()):
        found["end"] = begin + draw(st.integers(1, length + 5))
    return found


@st.composite
def stacks(draw: st.DrawFn) -> tuple[Training, list[dict[str, Any]]]:
    """A training and up to four schedulers that act on one another's results."""
    training = draw(trainings())
    return training, draw(st.lists(schedulers(training), min_size=1, max_size=4))
