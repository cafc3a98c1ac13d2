"""What the parts of one compilation share."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.dataplane.envoy import Config, Files
from gateway.dataplane.inputs import Inputs
from gateway.dataplane.pages import local_replies
from gateway.dataplane.rewrites import Rewrites, rewrites_of
from gateway.models import LoadedGateway


@dataclass(frozen=True, slots=True)
class Work:
    """The inputs, the files that the documents name, and what is the same at all listeners."""

    inputs: Inputs
    files: Files
    rewrites: Rewrites
    local_replies: Config

    @property
    def loaded(self) -> LoadedGateway:
        return self.inputs.loaded

    @property
    def is_v1(self) -> bool:
        return self.inputs.loaded.is_v1


def begin(inputs: Inputs) -> Work:
    files = Files()
    replies = local_replies(inputs.error_pages, files, is_v1=inputs.loaded.is_v1)
    return Work(inputs, files, rewrites_of(inputs.loaded), replies)
