"""Nothing takes more than a second of processor time or 50 MB, whatever comes.

The second is one of a machine of 2024; a slower one is given as much more as it needs for a known
piece of work.

``python -m tests.certificates.x509.test_bounds`` prints what each case takes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from certificates.x509.files import pfx
from certificates.x509.places.uploads import MAX_CER_BYTES
from tests.certificates.x509 import bombs
from tests.certificates.x509.measured import Cost, Measurer

SECONDS = 1.0
MEGABYTES = 50.0


Check = Callable[[Cost], None]

USUAL_PACE = 0.05
"""Seconds that the known piece of work takes on a machine of 2024."""


@pytest.fixture(scope="module")
def measurer() -> Iterator[Measurer]:
    with Measurer() as process:
        yield process


@pytest.fixture(scope="module")
def check(measurer: Measurer) -> Check:
    seconds = SECONDS * max(1.0, measurer("pace").seconds / USUAL_PACE)

    def check(cost: Cost) -> None:
        assert cost.seconds < seconds, cost
        assert cost.megabytes < MEGABYTES, cost

    return check


def file_jobs(data: bytes) -> dict[str, bytes]:
    """A file at every door. That for single certificates takes the beginning only; the decoder
    reads the file as all others do, one after the other."""
    jobs = {"upload": data[:MAX_CER_BYTES], "examine": data}
    return {**jobs, "open_pfx": data} if data.startswith(b"\x30") else jobs


@pytest.mark.parametrize("make", bombs.FILES.values(), ids=bombs.FILES)
def test_no_file_takes_long_or_much(
    measurer: Measurer, check: Check, make: Callable[[], bytes]
) -> None:
    for job, data in file_jobs(make()).items():
        check(measurer(job, data))


@pytest.mark.parametrize("make", bombs.CHAINS.values(), ids=bombs.CHAINS)
def test_no_chain_takes_long_or_much(
    measurer: Measurer, check: Check, make: Callable[[], bombs.Chain]
) -> None:
    check(measurer("chain", *make()))


@pytest.mark.parametrize("make", bombs.NAMES.values(), ids=bombs.NAMES)
def test_no_name_takes_long_or_much(
    measurer: Measurer, check: Check, make: Callable[[], tuple[bytes, str]]
) -> None:
    check(measurer("names", *make()))


@pytest.mark.parametrize("make", bombs.REAL_PFX.values(), ids=bombs.REAL_PFX)
def test_real_pfx_files_open_within_the_bounds(
    measurer: Measurer, check: Check, make: Callable[[], bytes]
) -> None:
    cost = measurer("open_pfx", make())
    check(cost)
    assert isinstance(cost.answer, int), cost


@pytest.mark.parametrize("make", bombs.HOSTILE_PFX.values(), ids=bombs.HOSTILE_PFX)
def test_hostile_pfx_files_stay_closed_within_the_bounds(
    measurer: Measurer, check: Check, make: Callable[[], bytes]
) -> None:
    cost = measurer("open_pfx", make())
    check(cost)
    assert not isinstance(cost.answer, int), cost


def test_work_that_a_pfx_hides_is_stopped_within_the_bounds(
    measurer: Measurer,
    check: Check,
) -> None:
    cost = measurer("open_pfx_unlimited", bombs.HOSTILE_PFX["2,000,000,000 rounds"]())
    check(cost)
    assert cost.answer == ["pfx-too-expensive"]
    # What the process that opens a file holds at most, beyond what it holds for an ordinary one.
    assert pfx.MEMORY_BYTES <= (MEGABYTES + 12) * 1024 * 1024


def report() -> None:
    with Measurer() as measure:
        for title, cases in (
            ("Files", bombs.FILES),
            ("PFX files", bombs.REAL_PFX | bombs.HOSTILE_PFX),
        ):
            print(f"{title:48} door         s    MB")
            for name, make in cases.items():
                data = make()
                show(name, "read", measure("read", data))
                for job, part in file_jobs(data).items():
                    show(name, job, measure(job, part))
        print(f"{'Chains and names':48} job          s    MB")
        for name, chain in bombs.CHAINS.items():
            show(name, "chain", measure("chain", *chain()))
        for name, names in bombs.NAMES.items():
            show(name, "names", measure("names", *names()))


def show(name: str, job: str, cost: Cost) -> None:
    over = " <--" if cost.seconds > SECONDS or cost.megabytes > MEGABYTES else ""
    print(f"{name[:48]:48} {job:8} {cost.seconds:5.2f} {cost.megabytes:5.0f}{over}", flush=True)


if __name__ == "__main__":
    report()
