from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from gateway.environment import loopback_range


def test_a_data_directory_keeps_the_range_that_it_drew(tmp_path: Path) -> None:
    first = loopback_range(tmp_path)

    assert loopback_range(tmp_path) == first
    assert first.subnet_of(ip_network("127.0.0.0/8"))
    assert not first.overlaps(ip_network("127.0.0.0/16"))
    assert first.num_addresses == 4096


@pytest.mark.parametrize("text", ["nonsense", "10.0.0.0/16", "127.1.2.3/20", "127.1.0.0/28"])
def test_a_range_that_is_no_loopback_network_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "loopback-range").write_text(text)

    with pytest.raises(ImproperlyConfigured, match="loopback-range takes"):
        loopback_range(tmp_path)
