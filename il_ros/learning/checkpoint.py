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
Policies on disk: a folder with weights in safetensors and everything else in JSON, never a pickle.

The checkpoint's SHA-256 is taken over the bytes of the weights file followed by the canonical
JSON (sorted keys, no blanks) of the document without its own ``sha256``. No wall time enters, so
that the same data, configuration and seed give the same checkpoint and ``policy_id``.
"""

from collections.abc import Mapping
import dataclasses
import hashlib
import json
from pathlib import Path

from il_ros.contract.contract import Contract, IMAGE
from il_ros.errors import ContractMismatchError, DamagedError, ImitationError, LearningError
from il_ros.errors import NoCheckpointError
from il_ros.files import folders
from il_ros.files.regular import read_bytes, require_regular
from il_ros.learning.heads import from_document
from il_ros.learning.horizons import Horizons
from il_ros.learning.inputs import Inputs
from il_ros.learning.nets.net import net_class
from il_ros.learning.normaliser import Normaliser
from il_ros.learning.policy import Policy
import numpy as np
import safetensors
import safetensors.numpy

DOCUMENT = 'policy.json'
WEIGHTS = 'policy.safetensors'
FORMAT = 'il_ros.policy'
VERSION = 2
"""Version 1 had neither head nor members nor horizons: one network whose output is the action."""

_LARGEST = {DOCUMENT: 16 << 20, WEIGHTS: 1 << 30}
_MALFORMED = (ImitationError, AttributeError, KeyError, OverflowError, TypeError, ValueError)


def save(folder: Path, policy: Policy, info: Mapping | None = None, replace: bool = False) -> str:
    """
    Write a checkpoint; it is there whole or not at all.

    :param folder: of the checkpoint
    :param policy: any policy that `fit` or `load` gave
    :param info: what to note beside ``policy.info``, as JSON has it; no wall times
    :param replace: put it in the place of another checkpoint; an equal one is left alone anyway
    :returns: SHA-256 of the checkpoint, hex
    :raises LearningError: if another checkpoint is there and ``replace`` is false, or anything
        that is no checkpoint
    :raises OSError: if the disk refuses
    """
    refuse_other_content(folder)
    weights = safetensors.numpy.save(policy.net.tensors())
    document = _document(policy, {**policy.info, **(info or {})}, weights)
    sha256 = _digest(weights, document)
    text = json.dumps({**document, 'sha256': sha256}, indent=1, allow_nan=False)
    folder = Path(folder)
    if folder.exists() and _holds(folder, sha256):
        folders.sweep(folder)
        return sha256
    try:
        folders.write_folder(folder, {WEIGHTS: weights, DOCUMENT: f'{text}\n'.encode()}, replace)
    except FileExistsError as error:
        raise LearningError(f'{folder} exists already and is not this checkpoint; '
                            'expected a new name') from error
    return sha256


def refuse_other_content(folder: Path):
    """
    Make sure that nothing but a checkpoint, whole or not, would be replaced at this place.

    :raises LearningError: naming what else is there
    """
    folder = Path(folder)
    if not folder.exists():
        return
    found = {path.name for path in folder.iterdir()} if folder.is_dir() else {'a file'}
    others = sorted(found - {DOCUMENT, WEIGHTS})
    if others:
        raise LearningError(f'{folder} holds {others[0]}, which is not part of a '
                            'checkpoint; expected a folder for checkpoints alone')


def load(folder: Path, sha256: str = '') -> Policy:
    """
    Read and verify a checkpoint.

    :param folder: of the checkpoint
    :param sha256: hex; compared with the checkpoint's unless empty
    :raises NoCheckpointError: if there is none
    :raises DamagedError: naming the file and what is wrong with it
    """
    folder = Path(folder)
    if not folder.is_dir():
        kind = 'a file' if folder.exists() else 'not there'
        raise NoCheckpointError(f'{folder} is {kind}; expected a folder with {DOCUMENT} and '
                                f'{WEIGHTS}')
    content = {name: _read(folder / name) for name in (DOCUMENT, WEIGHTS)}
    document = _parse(folder / DOCUMENT, content[DOCUMENT])
    digest = _verified(folder, document, content[WEIGHTS])
    if sha256 and sha256.lower() != digest:
        raise DamagedError(f'{folder}: the checkpoint has sha256 {digest}; expected {sha256}')
    return _policy(folder, document, content[WEIGHTS], digest)


def check(policy: Policy, contract: Contract):
    """
    Refuse a policy that was made for another graph.

    :param contract: of the graph that the policy is to drive
    :raises ContractMismatchError: listing what the policy expects and what was found
    """
    expected, found = policy.contract, contract
    wrong = [f'{what}: expected {a}, found {b}' for what, a, b in (
        ('rate', f'{expected.rate:g} Hz', f'{found.rate:g} Hz'),
        ('observation width', expected.width, found.width),
        ('action space', expected.action_space, found.action_space),
        ('action frame', expected.action_frame_id, found.action_frame_id),
        ('actions', _actions(expected), _actions(found))) if a != b]
    there = {feature.name: feature for feature in found.features}
    for name in (*policy.inputs.features, *policy.images):
        before = expected.feature(name)
        if name not in there:
            wrong.append(f'feature {name}: expected {_feature(before)}, found none')
        elif there[name] != before:
            wrong.append(f'feature {name}: expected {_feature(before)}, '
                         f'found {_feature(there[name])}')
    if wrong:
        raise ContractMismatchError(f'the policy was trained on another contract than '
                                    f'{found.name!r}: {"; ".join(wrong)}')


def _actions(contract: Contract) -> str:
    return ', '.join(f'{a.name} [{a.lower:g}, {a.upper:g}] {a.unit}' for a in contract.actions)


def _feature(feature) -> str:
    if feature.kind == IMAGE:
        return f'an image, {feature.height}x{feature.width} {feature.encoding}'
    elements = ' '.join(feature.elements)
    private = ', privileged' if feature.privileged else ''
    return (f'({elements}) from {feature.start} in {feature.unit!r}, frame {feature.frame_id!r}'
            f'{private}')


def _document(policy: Policy, info: Mapping, weights: bytes) -> dict:
    document = {
        'format': FORMAT,
        'version': VERSION,
        'contract': json.loads(policy.contract.to_json()),
        'inputs': policy.inputs.expressions,
        'input_names': policy.inputs.names,
        'input_units': policy.inputs.units,
        'normaliser': _columns(policy.normaliser),
        'action_normaliser': _columns(policy.action_normaliser),
        **policy.net.document(),
        'head': policy.head.document(),
        'horizons': dataclasses.asdict(policy.horizons),
        'info': info,
        'weights_sha256': hashlib.sha256(weights).hexdigest(),
    }
    return json.loads(json.dumps(document, allow_nan=False))


def _columns(normaliser: Normaliser) -> dict:
    return {'mean': normaliser.mean.tolist(), 'sd': normaliser.sd.tolist()}


def _normaliser(columns: dict) -> Normaliser:
    with np.errstate(over='ignore'):
        return Normaliser(np.array(columns['mean'], np.float32),
                          np.array(columns['sd'], np.float32))


def _digest(weights: bytes, document: dict) -> str:
    bare = {key: value for key, value in document.items() if key != 'sha256'}
    canonical = json.dumps(bare, sort_keys=True, separators=(',', ':'))
    return hashlib.sha256(weights + canonical.encode()).hexdigest()


def _holds(folder: Path, sha256: str) -> bool:
    try:
        return load(folder).sha256 == sha256
    except LearningError:
        return False


def _read(path: Path) -> bytes:
    try:
        size = require_regular(path).st_size
        if size > _LARGEST[path.name]:
            raise DamagedError(f'{path}: {size} bytes; expected at most {_LARGEST[path.name]}')
        return read_bytes(path)
    except FileNotFoundError as error:
        raise NoCheckpointError(f'{path} is not there; expected a folder with {DOCUMENT} and '
                                f'{WEIGHTS}') from error
    except OSError as error:
        raise DamagedError(f'{path}: cannot be read: {error.strerror}') from error


def _refuse_constant(name: str):
    raise ValueError(f'{name} is no finite number')


def _parse(path: Path, content: bytes) -> dict:
    try:
        document = json.loads(content.decode(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise DamagedError(f'{path}: not the JSON of a policy: {error}') from error
    if not isinstance(document, dict) or document.get('format') != FORMAT:
        raise DamagedError(f'{path}: not a policy of il_ros; expected format {FORMAT!r}')
    if document.get('version') not in (1, VERSION):
        raise DamagedError(f'{path}: schema version is {document.get("version")!r}; this il_ros '
                           f'reads version 1 and {VERSION}')
    return document


def _verified(folder: Path, document: dict, weights: bytes) -> str:
    if hashlib.sha256(weights).hexdigest() != document.get('weights_sha256'):
        raise DamagedError(f'{folder / WEIGHTS}: its SHA-256 is not the one that {DOCUMENT} '
                           'notes; the file was damaged or replaced')
    digest = _digest(weights, document)
    if digest != document.get('sha256'):
        raise DamagedError(f'{folder / DOCUMENT}: its SHA-256 is not the one that it notes; '
                           'the file was damaged or edited')
    return digest


def _policy(folder: Path, document: dict, weights: bytes, digest: str) -> Policy:
    try:
        tensors = safetensors.numpy.load(weights)
    except (safetensors.SafetensorError, *_MALFORMED) as error:
        raise DamagedError(f'{folder / WEIGHTS}: not a safetensors file: {error}') from error
    try:
        kind = net_class(document.get('architecture'))
    except _MALFORMED as error:
        raise DamagedError(f'{folder / DOCUMENT}: not a policy: {error}') from error
    try:
        net = kind.from_document(document, tensors)
    except _MALFORMED as error:
        raise DamagedError(f'{folder / WEIGHTS}: {error}') from error
    try:
        return _assemble(document, net, digest)
    except _MALFORMED as error:
        raise DamagedError(f'{folder / DOCUMENT}: not a policy: {error}') from error


def _refuse_foreign_labels(contract: Contract, fitted: Normaliser):
    """Refuse a normaliser that no labels inside the contract's bounds have given."""
    if not contract.accepts(fitted.mean):
        raise LearningError(f'action_normaliser: the mean of {contract.complaint(fitted.mean)}, '
                            'where every label lies')


def _assemble(document: dict, net, digest: str) -> Policy:
    contract = Contract.from_json(json.dumps(document['contract']))
    inputs = Inputs(contract, document['inputs'])
    for key, found in (('input_names', inputs.names), ('input_units', inputs.units)):
        if tuple(document[key]) != found:
            raise LearningError(f'{key} are {document[key]}; expected {list(found)}')
    normaliser = _normaliser(document['normaliser'])
    action_normaliser = _normaliser(document['action_normaliser'])
    _refuse_foreign_labels(contract, action_normaliser)
    horizons = Horizons(**document.get('horizons', {}))
    head = from_document(document['head'], len(contract.actions), horizons.chunk) if (
        'head' in document) else None
    return Policy(contract, inputs, normaliser, action_normaliser, net, document['info'], digest,
                  head, horizons)
