"""Plans for one model, in a process that knows nothing of the command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optplan.checks.running import Planner
    from optplan.config import Batch, Config
    from optplan.model import LoadedModel
    from optplan.plan import Plan, Planned
    from optplan.schedule import Schedule


def planner_of(model: str, arguments: Mapping[str, Any]) -> Planner:
    """What plans configs for one model, which is built once.

    Raises:
        ModelError: There is no such model, or it cannot be built.
    """
    from optplan.model import open_model

    return _planner(open_model(model, arguments))


class ConfiguredModels:
    """Plans configs for the models that they name themselves; as in :class:`OwnModels`."""

    def __init__(self) -> None:
        self._there: dict[tuple[str, str | None], bool] = {}

    def key(self, config: Config) -> str | None:
        """Equal for configs of one model; None where there is no model, or its package is not there."""
        from optplan.config import find_own_model
        from optplan.errors import ConfigError
        from optplan.model import may_be_installed

        try:
            own = find_own_model(config)
        except ConfigError:
            return None  # making the plan says it
        if own is None:
            return None
        word = str(own.type), own.namespace.scope
        if word not in self._there:
            self._there[word] = may_be_installed(own)
        return own.key if self._there[word] else None

    def planner(self, config: Config) -> Planner:
        """What plans configs of one key.

        Raises:
            OptplanError: The model cannot be built.
        """
        from optplan.config import find_own_model
        from optplan.model import open_configured

        own = find_own_model(config)
        assert own is not None
        return _planner(open_configured(own))


def _planner(loaded: LoadedModel) -> Planner:
    from optplan.constructors import plan_with_facts

    def planned(config: Config, batch: Batch) -> Planned:
        return plan_with_facts(loaded, config, batch=batch)

    return planned


def schedule_of_plan(config: Config, plan: Plan, per_epoch: int | None) -> Schedule:
    """The schedulers of a config for its plan.

    Raises:
        OptplanError: They are wrong, or nobody says how long the training is.
    """
    from optplan.cli.scheduling import Length, schedule_for, training_of
    from optplan.schedule import find_schedulers

    section = find_schedulers(config.data)
    training = training_of(config, section, Length(per_epoch=per_epoch))
    return schedule_for(plan, config, section, training)
