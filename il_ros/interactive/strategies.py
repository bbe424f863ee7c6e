# Copyright 2026 il_ros contributors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

"""
Strategies: by which plan the episodes of a round are driven and what of them becomes a label.

A strategy is a name and settings, as in ``config/strategies/<name>.yaml``. Ours are (other
packages may bring more, see ``il_ros/plugins.py``):

* ``dagger``: expert and policy mixed by a beta schedule; every visited state is labelled (Ross,
  Gordon, Bagnell, AISTATS 2011, Algorithm 3.1);
* ``gated``: the discrepancy gate hands over and back; every visited state is labelled (Zhang,
  Cho, "Query-Efficient Imitation Learning for End-to-End Simulated Driving", AAAI 2017);
* ``corrections``: the same gate; only the steps that the expert drove become labels, with a rule
  in the place of HG-DAgger's person;
* ``novelty``: the spread of an ensemble hands over and back, and the expert is asked only while it
  drives (EnsembleDAgger, Menda, Driggs-Campbell, Kochenderfer, IROS 2019), at a target rate of
  intervention (ThriftyDAgger, Hoque et al., CoRL 2021);
* ``human``: a person watches the policy, takes over and hands back as he sees fit; what he drove
  becomes labels (HG-DAgger, Kelly et al., ICRA 2019);
* ``dart``: the expert drives under noise as large as the learner's error; the label is what it
  intended (DART, Laskey et al., CoRL 2017, Algorithm 1);
* ``shift``: more demonstrations, and beside them the same states with the tool shifted and the
  label that brings it back, which nobody is asked for (Bojarski et al., "End to End Learning for
  Self-Driving Cars", 2016, section 5).
"""

import dataclasses
from pathlib import Path
from typing import Annotated, Any

from il_ros import plugins
from il_ros.contract.episode_spec import DrivePlan, LABEL_ALL, LABEL_EXPERT_DRIVEN, POLICY
from il_ros.driving.driving import check_plan, DISCREPANCY, HUMAN, NOVELTY
from il_ros.driving.mixing import make_beta
from il_ros.files.share import MissingShareError, share_path
from il_ros.files.yaml_file import named, read_yaml
from il_ros.interactive.outcomes import Trained
from il_ros.interactive.strategy import demonstration_plan, person_plan, Strategy
from il_ros.interactive.strategy import StrategyError, UnknownStrategyError
from il_ros.settings import one_of
from msgspec import Meta


@dataclasses.dataclass(frozen=True)
class GateSettings:
    """A gate between policy and expert; the fields are those of ``DrivePlan``."""

    threshold: Annotated[float, Meta(ge=0.0)] = 0.3
    smoothing: Annotated[float, Meta(ge=0.0)] = 0.7
    takeover_level: Annotated[float, Meta(ge=0.0)] = 0.5
    release_threshold: Annotated[float, Meta(ge=0.0)] = 0.2
    release_patience: Annotated[int, Meta(ge=0)] = 3
    hold_min: Annotated[int, Meta(ge=0)] = 0
    hold_max: Annotated[int, Meta(ge=0)] = 15
    target_rate: Annotated[float, Meta(ge=0.0)] = 0.0


class Dagger(Strategy):
    """The expert drives each step with probability beta; every visited state is labelled."""

    keys = {'beta': dict[str, Any]}

    def check(self):
        """Refuse settings that are unknown or out of range."""
        super().check()
        make_beta(self.settings.get('beta', {}))

    def learner_plan(self, round_: int, seed: int, trained: Trained | None) -> DrivePlan:
        """Return a plan where the expert drives a step with the schedule's probability."""
        beta = make_beta(self.settings.get('beta', {}))(round_)
        return DrivePlan(driver=POLICY, beta=beta, labels=LABEL_ALL, seed=seed)


class Gated(Strategy):
    """The expert takes over where the two disagree; every visited state is labelled."""

    gate = DISCREPANCY
    labels = LABEL_ALL
    defaults = GateSettings()
    keys = {'gate': GateSettings, 'learner': dict[str, Any]}

    def check(self):
        """Refuse settings that are unknown or out of range."""
        super().check()
        with named(self.name, StrategyError):
            check_plan(self.learner_plan(1, 0, None))

    def learner_plan(self, round_: int, seed: int, trained: Trained | None) -> DrivePlan:
        """Return a plan where the gate chooses between policy and expert."""
        gate = dataclasses.replace(self.defaults, **self.settings.get('gate', {}))
        return DrivePlan(driver=POLICY, gate=self.gate, labels=self.labels, seed=seed,
                         **dataclasses.asdict(gate))


class Corrections(Gated):
    """The expert takes over as in gated; only the steps that it drove become labels."""

    labels = LABEL_EXPERT_DRIVEN


class Novelty(Gated):
    """The expert takes over where an ensemble disagrees, and is asked only while it drives."""

    gate = NOVELTY
    labels = LABEL_EXPERT_DRIVEN
    defaults = GateSettings(threshold=0.1, smoothing=0.0, release_threshold=0.05,
                            target_rate=0.1)

    @property
    def learner(self) -> dict:
        """Return that the policy is an ensemble."""
        return {'ensemble': 4, **super().learner}


class Human(Strategy):
    """A person takes over and hands back; the steps that the person drove become labels."""

    keys = {'demonstrator': Annotated[str, one_of('expert', 'person')], 'learner': dict[str, Any]}

    def demonstration(self, seed: int) -> DrivePlan:
        """Return the plan of a demonstration by the expert or by the person."""
        is_person = self.settings.get('demonstrator', 'expert') == 'person'
        return person_plan(seed) if is_person else demonstration_plan(seed)

    def learner_plan(self, round_: int, seed: int, trained: Trained | None) -> DrivePlan:
        """Return a plan where the person decides."""
        return DrivePlan(driver=POLICY, gate=HUMAN, labels=LABEL_EXPERT_DRIVEN, seed=seed)


@dataclasses.dataclass(frozen=True)
class NoiseSettings:
    """The noise of ``dart``."""

    scale: Annotated[float, Meta(ge=0.0)] = 1.0
    """Factor on the learner's covariance; DART's alpha sets it by the error that is foreseen."""


class Dart(Strategy):
    """
    The expert drives under noise as large as the policy's error; labels are without noise.

    The covariance is fitted to the learner's error on held-out demonstrations, the gripper left
    out, and fitted again after each round.
    """

    keys = {'noise': NoiseSettings, 'learner': dict[str, Any]}

    def learner_plan(self, round_: int, seed: int, trained: Trained | None) -> DrivePlan:
        """Return a demonstration under the noise that the last fit's error asks for."""
        scale = NoiseSettings(**self.settings.get('noise', {})).scale
        fitted = trained.error_covariance if trained is not None else ()
        return dataclasses.replace(demonstration_plan(seed), noise_covariance=tuple(
            scale * entry for entry in fitted))


class ShiftedDemonstrations(Strategy):
    """The expert demonstrates; synthetic states beside its own become labels without asking it."""

    keys = {'shift': dict[str, Any], 'learner': dict[str, Any]}
    """The trainer's own check refuses wrong numbers."""

    @property
    def augmentation(self) -> dict:
        """Return how the synthetic states are made."""
        return {'shift': self.settings.get('shift', {})}

    def learner_plan(self, round_: int, seed: int, trained: Trained | None) -> DrivePlan:
        """Return a plain demonstration."""
        return demonstration_plan(seed)


STRATEGIES = tuple(plugins.BUILT_IN['strategies'])
"""The names of our own."""


def strategy_class(name: str) -> type[Strategy]:
    """
    Return the class of a strategy of ours, of another package, or as ``module:Object``.

    :raises UnknownStrategyError: if there is none; the sentence lists those that there are
    :raises StrategyError: if it is not usable
    """
    try:
        return plugins.find('strategies', name).load_class(Strategy)
    except plugins.UnknownPluginError as error:
        known = ', '.join(plugins.table('strategies'))
        raise UnknownStrategyError(
            f'strategy {name!r} is unknown; expected one of {known}') from error
    except plugins.PluginError as error:
        raise StrategyError(str(error)) from error


def settings_path(name: str) -> Path | None:
    """
    Return the YAML with the settings of a strategy, where nobody gives another one.

    :returns: None: it has none, and runs with its defaults
    :raises StrategyError: as ``strategy_class``
    """
    file = strategy_class(name).config
    try:
        return share_path('config', 'strategies', f'{name}.yaml')
    except MissingShareError:
        found = plugins.file_beside('strategies', name, file) if file else None
    if file and found is None:
        raise StrategyError(f'strategy {name!r} has the config {file!r}; there is no such file '
                            'beside its module')
    return found


def make_strategy(name: str, settings: dict | None = None) -> Strategy:
    """
    Return the strategy of that name with these settings (None: the defaults).

    :raises UnknownStrategyError: if there is none; the sentence lists those that there are
    :raises StrategyError: if it is not usable, or a setting is unknown or out of range
    """
    kind = strategy_class(name)
    return kind(name, {} if settings is None else settings)


def load_strategy(name: str, path: Path | None) -> Strategy:
    """
    Return the strategy with the settings of a YAML file.

    The settings are the file's key ``strategy`` where it has one (a file for a whole run, with
    ``training`` beside it), else the file itself. None: the defaults.

    :raises StrategyError: if the file cannot be read, or as ``make_strategy``
    """
    strategy_class(name)  # it is not the file's fault that there is none
    if path is None:
        return make_strategy(name)
    with named(path, StrategyError):
        document = read_yaml(path)
        if isinstance(document, dict) and ('strategy' in document or 'training' in document):
            document = document.get('strategy')
        return make_strategy(name, document)
