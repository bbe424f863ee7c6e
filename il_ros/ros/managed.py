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

"""Lifecycle nodes that start themselves, and that say why when they cannot."""

from collections.abc import Callable
from typing import Any

from il_ros.errors import ImitationError
from il_ros.ros.parameters import declare
from il_ros.ros.runtime import StartError
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn


class ManagedNode(LifecycleNode):
    """
    A lifecycle node with its parameters in ``self.parameters``.

    A subclass overrides ``configure``, ``activate`` and ``deactivate``. An ``ImitationError`` in
    them is logged (the lifecycle machine itself would swallow it) and fails the transition.
    """

    def __init__(self, name: str, parameters: type, **kwargs):
        super().__init__(name, **kwargs)
        self.parameters: Any = declare(self, parameters)
        self._failure = ''
        self.active = False

    def autostart(self):
        """
        Configure and activate if the parameter ``autostart`` says so; last line of ``__init__``.

        :raises StartError: if a transition failed, with its reason
        """
        if not self.parameters.autostart:
            return
        for trigger in (self.trigger_configure, self.trigger_activate):
            if trigger() != TransitionCallbackReturn.SUCCESS:
                sentence = f'{self.get_name()} does not start: {self._failure}'
                self.destroy_node()
                raise StartError(sentence)

    def configure(self):
        """Load what the node needs."""

    def activate(self):
        """Begin to answer."""

    def deactivate(self):
        """Stop safely; publishers are still live here."""

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Run ``configure`` under guard."""
        return self._guarded(self.configure)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Run ``activate`` under guard."""
        result = super().on_activate(state)
        if result == TransitionCallbackReturn.SUCCESS:
            result = self._guarded(self.activate)
        self.active = result == TransitionCallbackReturn.SUCCESS
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop while the publishers are live, and only then deactivate."""
        self.active = False
        self._guarded(self.deactivate)
        return super().on_deactivate(state)

    def shut_down(self):
        """Leave the active state, if the node is in it: called before the node is destroyed."""
        if self.active:
            self.trigger_deactivate()

    def destroy_node(self):
        """Destroy the node, and the state machine that would keep its participant alive."""
        super().destroy_node()
        self._state_machine.destroy_when_not_in_use()

    def _guarded(self, step: Callable[[], None]) -> TransitionCallbackReturn:
        try:
            step()
        except ImitationError as error:
            self._failure = str(error)
            self.get_logger().error(self._failure)
            return TransitionCallbackReturn.FAILURE
        return TransitionCallbackReturn.SUCCESS
