"""What the parts of one compilation share."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.dataplane.envoy import Files
from gateway.dataplane.inputs import Inputs
from gateway.dataplane.rewrites import Rewrites, rewrites_of
from gateway.models import LoadedGateway


@dataclass(frozen=True, slots=True)
class Work:
    """The inputs, the files that the documents name, and the compiled rewrite sets."""

    inputs: Inputs
    files: Files
    rewrites: Rewrites

    @property
    def loaded(self) -> LoadedGateway:
        return self.inputs.loaded

    @property
    def is_v1(self) -> bool:
        return self.inputs.loaded.is_v1


def begin(inputs: Inputs) -> Work:
    return Work(inputs, Files(), rewrites_of(inputs.loaded))
