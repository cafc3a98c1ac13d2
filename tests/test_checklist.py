"""The acceptance checklist names real tests, and the tests are named after it."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CHECKLIST = tomllib.loads((ROOT / "tests" / "checklist.toml").read_text())
PROVEN = {id: entry for id, entry in CHECKLIST.items() if entry["test"] not in ("later", "void")}


@pytest.mark.parametrize("id", PROVEN)
def test_each_step_of_the_checklist_names_a_test_that_exists(id: str) -> None:
    file, _, name = PROVEN[id]["test"].partition("::")
    functions = set(re.findall(r"^def (\w+)\(", (ROOT / file).read_text(), re.M))
    assert name in functions, f"{id}: {file} has no {name}"
    assert id.replace("-", "_") in name, f"{id}: {name} is not named after it"


def test_each_step_says_in_words_what_is_expected() -> None:
    assert all(entry["step"].endswith(".") for entry in CHECKLIST.values())
