"""The three descriptions of one environment say the same: pyproject.toml, constraints.txt and environment.yml."""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, distributions, requires
from itertools import compress
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version
from rattler import MatchSpec
from rattler.exceptions import InvalidMatchSpecError

import course

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
CONSTRAINTS = (ROOT / "constraints.txt").read_text(encoding="utf-8")


def pins(text: str) -> dict[str, Version]:
    """name → version of a constraints file; raises AssertionError for a line that is no exact pin, or one given twice."""
    found: dict[str, Version] = {}
    for line in filter(None, (line.split("#")[0].strip() for line in text.splitlines())):
        match = re.fullmatch(r"([A-Za-z0-9._-]+)==([\w.!+]+)", line)
        assert match, f"constraints.txt: {line!r} is not of the form name==version"
        name = canonicalize_name(match[1])
        assert name not in found, f"constraints.txt pins {name} twice"
        found[name] = Version(match[2])
    return found


def unpinned(requirements: list[str], versions: dict[str, Version]) -> list[str]:
    """The requirements that no pin meets."""
    named = [(canonicalize_name(one.name), one) for one in map(Requirement, requirements)]
    return [str(one) for name, one in named if name not in versions or versions[name] not in one.specifier]


def is_pin(requirement: Requirement) -> bool:
    """Whether a requirement itself names one exact version, as torch's CUDA builds do for theirs."""
    return [part.operator for part in requirement.specifier] == ["=="] and "*" not in str(requirement.specifier)


def conda_packages(environment: dict) -> dict[str, MatchSpec]:
    """name → match spec of what conda itself installs."""
    specs = [MatchSpec(entry) for entry in environment["dependencies"] if isinstance(entry, str)]
    return {spec.name.normalized if hasattr(spec.name, "normalized") else str(spec.name): spec for spec in specs}


def pip_lines(environment: dict) -> list[str]:
    """What environment.yml hands to pip."""
    return [line for entry in environment["dependencies"] if isinstance(entry, dict) for line in entry["pip"]]


EVERYTHING = [*PROJECT["dependencies"], *(line for extra in PROJECT["optional-dependencies"].values() for line in extra)]


def test_every_dependency_has_a_pin_within_its_range():
    assert unpinned(EVERYTHING, pins(CONSTRAINTS)) == []


def test_every_dependency_is_a_range_with_a_lower_bound():
    for requirement in map(Requirement, EVERYTHING):
        assert any(part.operator in (">=", "==", "~=") for part in requirement.specifier), f"{requirement} has no lower bound"


def test_constraints_name_no_place_to_get_packages_from():
    assert not re.search(r"://|@|^-", CONSTRAINTS, re.MULTILINE)


def test_installed_versions_are_the_pinned_ones():
    versions = pins(CONSTRAINTS)
    # `.public` leaves out the label of the build, such as the +cpu of torch, which no constraint can name
    installed = {canonicalize_name(found.metadata["Name"]): Version(Version(found.version).public) for found in distributions()}
    wrong = {name: str(installed[name]) for name in installed.keys() & versions.keys() if installed[name] != versions[name]}
    assert wrong == {}, "installed, but not as constraints.txt pins it"


def test_everything_that_gets_installed_is_pinned():
    versions, waiting, seen = pins(CONSTRAINTS), list(map(Requirement, EVERYTHING)), set()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        extras = requirement.extras or {""}
        if (name, *extras) in seen or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        seen.add((name, *extras))
        assert name in versions, f"{name} gets installed and constraints.txt does not pin it"
        try:
            needs = [one for one in map(Requirement, requires(name) or []) if not is_pin(one)]
        except PackageNotFoundError:  # installed with another set of extras
            continue
        wanted = [any(one.marker.evaluate({"extra": extra}) for extra in extras) if one.marker else True for one in needs]
        waiting += compress(needs, wanted)


def test_python_range_is_the_same_everywhere():
    wanted = SpecifierSet(PROJECT["requires-python"])
    assert SpecifierSet(str(conda_packages(CONDA)["python"].version)) == wanted
    assert SpecifierSet(">={}.{},<{}.{}".format(*course.OLDEST, *course.TOO_NEW)) == wanted


def test_conda_installs_python_and_pip_and_leaves_the_rest_to_pip():
    assert set(conda_packages(CONDA)) == {"python", "pip"}
    assert CONDA["channels"] == ["conda-forge", "nodefaults"]
    assert pip_lines(CONDA) == ["-c constraints.txt", "-e .[lab]"]
    assert "lab" in PROJECT["optional-dependencies"]


def test_course_knows_the_name_and_the_extras():
    assert PROJECT["name"] == course.DISTRIBUTION
    assert set(PROJECT["optional-dependencies"]) == {"lab", "test", "peers"}
    assert [Requirement(line).name for line in PROJECT["optional-dependencies"]["peers"]] == [course.COMPILED_PEER]


# --- each check is seen to fail --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", ["numpy>=2", "numpy", "numpy @ file:///x.whl", "--index-url x", "numpy==2.4.6\nNumPy==2.4.6"])
def test_pins_refuses_what_is_no_pin(line):
    with pytest.raises(AssertionError):
        pins(line)


def test_unpinned_finds_the_missing_and_the_too_new():
    versions = pins("numpy==3.0  # too new\nPy_YAML==6.0\n")
    assert unpinned(["numpy>=2,<3", "py-yaml>=6", "tqdm>=4"], versions) == ["numpy<3,>=2", "tqdm>=4"]


@pytest.mark.parametrize(
    ("line", "expected"), [("a==1.2", True), ("a>=1.2", False), ("a", False), ("a==1.*", False), ("a>=1,<2", False)]
)
def test_is_pin(line, expected):
    assert is_pin(Requirement(line)) is expected


def test_a_bad_match_spec_is_refused():
    with pytest.raises(InvalidMatchSpecError):
        conda_packages({"dependencies": ["python >=3.11,<"]})
