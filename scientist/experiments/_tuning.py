"""Tuning at equal budget: random search and TPE (optuna) over the same space, with the same number of runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from scientist.experiments._study import Tuner
from scientist.lab import KnobValue
from scientist.template import Direction, Knob, Template

Trial = Callable[[int, dict[str, KnobValue]], float | None]
"""(number, full knobs) -> the objective on *search*, or None when the run failed."""


def tune(
    template: Template,
    tuner: Tuner,
    start: Mapping[str, KnobValue],
    seed: int,
    direction: Direction,
    trial: Trial,
) -> None:
    """Spend exactly `tuner.trials` runs. The first trial is `start` itself, so that tuning never knows less than it.

    TPE is Bergstra et al. (2011) as optuna implements it; both samplers are seeded with the run's seed.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    if tuner.sampler == "tpe":
        startup = max(3, tuner.trials // 3)
        sampler: Any = optuna.samplers.TPESampler(seed=seed, n_startup_trials=startup)
    else:
        sampler = optuna.samplers.RandomSampler(seed=seed)
    study = optuna.create_study(sampler=sampler, direction=direction)
    knobs = [template.knob(name) for name in tuner.knobs]
    study.enqueue_trial({knob.name: start[knob.name] for knob in knobs})
    for number in range(tuner.trials):
        asked = study.ask()
        chosen = {knob.name: _suggest(asked, knob) for knob in knobs}
        value = trial(number, template.complete({**start, **chosen}))
        if value is None:
            study.tell(asked, state=optuna.trial.TrialState.FAIL)
        else:
            study.tell(asked, value)


def _suggest(asked: Any, knob: Knob) -> KnobValue:
    if knob.type == "bool":
        return bool(asked.suggest_categorical(knob.name, [False, True]))
    if knob.type == "choice":
        return str(asked.suggest_categorical(knob.name, list(knob.choices)))
    if knob.type == "int":
        assert knob.low is not None and knob.high is not None
        return int(asked.suggest_int(knob.name, int(knob.low), int(knob.high), log=knob.log))
    return float(asked.suggest_float(knob.name, knob.low, knob.high, log=knob.log))
