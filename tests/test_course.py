"""The way in, without a network and without installing anything: what decides, what is said, what is counted."""

import ast
import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import course

SOURCE = Path(course.__file__).read_text(encoding="utf-8")


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A course folder of its own with nothing installed, and no subprocess that could install anything."""
    for name, value in (("ROOT", tmp_path), ("VENV", tmp_path / ".venv"), ("NOTEBOOKS", tmp_path / "notebooks")):
        monkeypatch.setattr(course, name, value)
    monkeypatch.setattr(course, "FIRST_NOTEBOOK", tmp_path / "notebooks" / "01_chain_rule.ipynb")
    monkeypatch.setattr(course, "active_is_the_courses", lambda: False)
    (tmp_path / "pyproject.toml").write_text("a\nb\n", encoding="utf-8")
    (tmp_path / "constraints.txt").write_text("x==1\n", encoding="utf-8")
    return tmp_path


@pytest.fixture
def calls(monkeypatch):
    """Every command given to subprocess.call, which does nothing and reports `calls.status`."""

    class Calls(list):
        status = 0

    made = Calls()

    def call(command, **options):
        made.append([str(part) for part in command])
        return made.status

    monkeypatch.setattr(course.subprocess, "call", call)
    return made


# --- the file itself -------------------------------------------------------------------------------------------------------


def test_an_old_python_can_read_the_file_and_say_what_is_wrong():
    ast.parse(SOURCE, feature_version=(3, 8))
    nodes = list(ast.walk(ast.parse(SOURCE)))
    imported = {alias.name.split(".")[0] for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module.split(".")[0] for node in nodes if isinstance(node, ast.ImportFrom)}
    assert imported <= set(sys.stdlib_module_names)


@pytest.mark.parametrize("version", [(3, 8, 18), (3, 10, 13), (3, 15, 0)])
def test_other_pythons_are_refused(version):
    with pytest.raises(
        course.Failure, match=r"needs Python 3\.11 or newer, below 3\.15; this is Python 3\.\d+ (?s:.*)course\.py lab"
    ):
        course.check_python(version)


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 14, 9)])
def test_these_pythons_will_do(version):
    course.check_python(version)


@pytest.mark.parametrize("words", ["lab --no-browser --port 9000", "run 01 02", "save", "fetch", "bench ngrams", "test"])
def test_commands_are_understood(words):
    assert course.parser().parse_args(words.split()).function.__name__ == words.split()[0]


def test_test_can_be_cut_down():
    assert course.parser().parse_args(["test", "--offline"]).phases == ["offline"]
    assert course.parser().parse_args(["test", "--only", "lint", "--only", "browser"]).phases == ["lint", "browser"]
    assert course.parser().parse_args(["test"]).phases is None


@pytest.mark.parametrize("words", [[], ["labs"], ["lab", "--port", "x"], ["test", "--only", "x"]])
def test_a_wrong_command_line_ends_with_2(words, capsys):
    with pytest.raises(SystemExit) as raised:
        course.main(words)
    assert raised.value.code == 2 and "usage" in capsys.readouterr().err


def test_failures_and_ctrl_c_show_no_traceback(monkeypatch, capsys):
    def fail(*extras):
        raise course.Failure("It broke.", "Mend it.")

    def stop(*extras):
        raise KeyboardInterrupt

    monkeypatch.setattr(course, "set_up", fail)
    assert course.main(["fetch"]) == 1
    assert capsys.readouterr().err == "\nIt broke.\nMend it.\n"
    monkeypatch.setattr(course, "set_up", stop)
    assert course.main(["fetch"]) == 130
    assert "Stopped" in capsys.readouterr().err


# --- set-up ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [None, "", "{", "[]", "null", '{"fingerprint": "x"}', '{"fingerprint": "x", "extras": 3}'])
def test_a_missing_or_broken_stamp_counts_as_none(tmp_path, content):
    stamp = tmp_path / "stamp.json"
    if content is not None:
        stamp.write_text(content, encoding="utf-8")
    assert course.read_stamp(stamp) == {"fingerprint": "", "extras": []}


def test_the_fingerprint_follows_all_that_decides(root):
    before = course.fingerprint("3.11.7")
    assert course.fingerprint("3.12.1") != before
    (root / "pyproject.toml").write_bytes(b"a\r\nb\r\n")
    assert course.fingerprint("3.11.7") == before, "Windows line ends change nothing"
    (root / "constraints.txt").write_text("x==2\n", encoding="utf-8")
    assert course.fingerprint("3.11.7") != before


def test_set_up_installs_once_and_adds_what_is_missing(root, calls, monkeypatch, capsys):
    monkeypatch.setattr(course, "course_environment", lambda: (root, Path(sys.executable)))
    assert course.set_up("lab") == Path(sys.executable)
    assert calls[-1][-1] == ".[lab]" and calls[-1][1:4] == ["-m", "pip", "install"] and "constraints.txt" in calls[-1]
    course.set_up("lab")
    assert len(calls) == 1 and "is ready" in capsys.readouterr().out
    course.set_up("lab", "test")
    course.set_up("lab")
    assert len(calls) == 2 and calls[-1][-1] == ".[lab,test]"
    (root / "constraints.txt").write_text("x==2\n", encoding="utf-8")
    course.set_up("lab")
    assert len(calls) == 3 and calls[-1][-1] == ".[lab,test]", "new pins for everything that is there"


def test_a_failed_installation_leaves_no_stamp(root, calls, monkeypatch):
    monkeypatch.setattr(course, "course_environment", lambda: (root, Path(sys.executable)))
    course.set_up("lab")
    calls.status = 1
    with pytest.raises(course.Failure, match=r"(?s)pip could not install.*connection.*compiler.*delete the folder \.venv"):
        course.set_up("lab", "test")
    calls.status = 0
    course.set_up("lab")
    assert len(calls) == 3, "it must not pass for installed"


def test_without_a_compiler_the_peer_is_left_out(calls, capsys):
    assert course.add_compiled_peer("python") is True and len(calls) == 1
    calls.status = 1
    assert course.add_compiled_peer("python") is False
    assert calls[-1][-1] == "kenlm" and "constraints.txt" in calls[-1] and "C++ compiler" in capsys.readouterr().out


def fake_python(root, script):
    """Put a program in the place of .venv's Python."""
    python = root / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    python.chmod(0o755)


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-ins are shell scripts")
@pytest.mark.parametrize(
    ("script", "made", "said"),
    [
        (None, True, False),
        ("echo 3.11.7", False, False),
        ("exit 1", True, True),
        ("echo 3.10.2", True, True),
        ("echo 3.15.0", True, True),
    ],
)
def test_dot_venv_is_made_used_or_made_anew(root, calls, capsys, script, made, said):
    if script:
        fake_python(root, script)
    prefix, python = course.course_environment()
    assert (prefix, python) == (root / ".venv", root / ".venv" / "bin" / "python")
    assert calls == ([[sys.executable, "-m", "venv", "--clear", str(root / ".venv")]] if made else [])
    assert ("making it anew" in capsys.readouterr().out) == said


def test_a_python_without_pip_counts_as_broken(tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "v")], check=True)
    python = tmp_path / "v" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    assert course.python_version(python) is None
    assert course.python_version(tmp_path / "missing") is None
    assert course.python_version(sys.executable) == ".".join(map(str, sys.version_info[:3]))


def test_a_failed_venv_says_what_to_install(root, calls):
    calls.status = 1
    with pytest.raises(course.Failure, match="apt install python3-venv"):
        course.make_venv()


def test_an_active_dot_venv_does_not_clear_itself(root, calls, monkeypatch):
    monkeypatch.setattr(course.sys, "prefix", str(root / ".venv"))
    with pytest.raises(course.Failure, match="deactivate"):
        course.make_venv()
    assert calls == []


def install_record(site, folder, editable=True):
    """Write what pip leaves behind after `pip install -e folder`."""
    info = site / "language_models_course-0.1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: language-models-course\nVersion: 0.1.0\n", encoding="utf-8")
    if editable:
        record = {"url": folder.as_uri(), "dir_info": {"editable": True}}
        (info / "direct_url.json").write_text(json.dumps(record), encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "editable", "expected"),
    [("the course", True, True), ("another", True, False), ("the course", False, False), (None, True, False)],
)
def test_the_active_environment_is_recognised(tmp_path, monkeypatch, name, editable, expected):
    folder = tmp_path / "the course"
    folder.mkdir()
    if name:
        install_record(tmp_path / "site", tmp_path / name, editable)
    monkeypatch.setattr(course, "ROOT", folder.resolve())
    monkeypatch.setattr(course.sysconfig, "get_paths", lambda: {"purelib": str(tmp_path / "site")})
    assert course.active_is_the_courses() is expected


def test_an_active_environment_of_the_course_is_used(root, calls, monkeypatch):
    monkeypatch.setattr(course, "active_is_the_courses", lambda: True)
    assert course.course_environment() == (Path(sys.prefix), Path(sys.executable))
    assert calls == []


# --- the commands ----------------------------------------------------------------------------------------------------------


def make_notebooks(root, *names):
    (root / "notebooks").mkdir(exist_ok=True)
    for name in names:
        (root / "notebooks" / f"{name}.ipynb").write_text("{}", encoding="utf-8")


def test_notebooks_are_found_by_number_name_and_path(root):
    make_notebooks(root, "02_ngrams", "01_chain_rule", "scratch")
    asked = ([], ["02"], ["notebooks/01_chain_rule.ipynb", "01"])
    stems = [[path.stem for path in course.find_notebooks(names)] for names in asked]
    assert stems == [["01_chain_rule", "02_ngrams"], ["02_ngrams"], ["01_chain_rule"]]
    with pytest.raises(course.Failure, match=r"No notebook is called 7(?s:.*)01_chain_rule, 02_ngrams"):
        course.find_notebooks(["7"])


def test_missing_notebooks_are_said_before_anything_is_installed(root, calls):
    for command in (["lab"], ["run"], ["save"]):
        assert course.main(command) == 1
    assert calls == []


def test_a_port_in_use_is_said(monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(course.Failure, match="cannot use port"):
            course.check_port(taken.getsockname()[1])
        port = taken.getsockname()[1]
    course.check_port(port)
    with pytest.raises(course.Failure, match="cannot use port 99999"):
        course.check_port(99999)


def test_missing_corpora_are_said_and_only_save_stops(root, calls, monkeypatch, capsys):
    calls.status = 1
    assert course.fetch_corpora(sys.executable) is False
    assert "goes on with the text that ships with Python" in capsys.readouterr().out
    make_notebooks(root, "01_chain_rule")
    monkeypatch.setattr(course, "set_up", lambda *extras: Path(sys.executable))
    assert course.main(["save"]) == 1
    assert "only when they come from the real corpora" in capsys.readouterr().err
    assert [call[2] for call in calls] == ["helpers.corpora", "helpers.corpora"]


def test_lab_opens_the_first_notebook(root, calls, monkeypatch):
    commands = []

    class Server:
        def __init__(self, command, cwd):
            commands.append(command)
            self.answers = [KeyboardInterrupt(), 0]

        def wait(self):
            answer = self.answers.pop(0)
            if isinstance(answer, KeyboardInterrupt):
                raise answer
            return answer

    make_notebooks(root, "01_chain_rule")
    monkeypatch.setattr(course, "set_up", lambda *extras: Path("python"))
    monkeypatch.setattr(course.subprocess, "Popen", Server)
    assert course.main(["lab", "--no-browser"]) == 0, "Ctrl-C is JupyterLab's to answer"
    assert "--LabApp.default_url=/lab/tree/notebooks/01_chain_rule.ipynb" in commands[0] and "--no-browser" in commands[0]
    assert "--FileContentsManager.pre_save_hook=helpers.saved_pictures.keep_pictures" in commands[0]


# --- the tests' own numbers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("report", "status", "expected"),
    [
        ('<testsuites><testsuite tests="9" failures="1" errors="1" skipped="2"/></testsuites>', 1, (5, 2, 2)),
        ('<testsuite tests="4" failures="0" errors="0" skipped="0"/>', 0, (4, 0, 0)),
        ('<testsuite tests="4" failures="0" errors="0" skipped="0"/>', 3, (4, 1, 0)),
        ('<testsuite tests="0" failures="0" errors="0" skipped="0"/>', 5, (0, 1, 0)),
        ("<broken", 0, (1, 0, 0)),
        (None, 0, (1, 0, 0)),
        (None, 1, (0, 1, 0)),
    ],
)
def test_results_are_counted(tmp_path, report, status, expected):
    path = tmp_path / "report.xml"
    if report is not None:
        path.write_text(report, encoding="utf-8")
    assert course.count_results(path, status) == expected


def test_what_test_runs(root, monkeypatch):
    make_notebooks(root, "01_chain_rule")
    (root / "data" / "cache").mkdir(parents=True)
    monkeypatch.setenv("LM_COURSE_MIRROR", "elsewhere")
    monkeypatch.delenv("LM_COURSE_CACHE", raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    found = {
        phase: (command, environment) for phase, command, environment in course.test_commands(course.PHASES, True, root / "t")
    }
    assert tuple(found) == course.PHASES
    spread = {phase: flag for phase, (command, _) in found.items() for flag in command if str(flag).startswith("--dist=")}
    by_test, by_file = "--dist=worksteal", "--dist=loadfile"  # a notebook's cells are one file, and one kernel
    assert spread == {"helpers": by_file, "notebooks": by_file, "browser": by_test, "offline": by_test}
    assert {"--nbval", "--nbval-current-env", root / "notebooks" / "01_chain_rule.ipynb"} <= set(found["notebooks"][0])
    assert found["helpers"][1]["LM_COURSE_MIRROR"] == str(root / "data" / "cache"), "corpora come from the learner's cache"
    assert not Path(found["offline"][1]["LM_COURSE_MIRROR"]).exists()
    live = "tests/browser/test_notebooks_browser.py"  # every notebook in JupyterLab, once, and without corpora
    assert (Path(course.__file__).parent / live).is_file()
    assert [phase for phase, (command, _) in found.items() if live in command] == ["offline"]
    assert f"--ignore={live}" in found["browser"][0]
    caches = {environment["LM_COURSE_CACHE"] for _, environment in found.values()}
    assert len(caches) == 2 and all(Path(cache).is_dir() and list(Path(cache).iterdir()) == [] for cache in caches)
    assert {environment["OMP_NUM_THREADS"] for _, environment in found.values()} == {"1"}
    assert "notebooks" not in [phase for phase, *_ in course.test_commands(course.PHASES, False, root / "u")]
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert {given["OMP_NUM_THREADS"] for *_, given in course.test_commands(course.PHASES, True, root / "v")} == {"3"}


@pytest.mark.parametrize(("status", "last"), [(0, "4 passed, 0 failed, 1 skipped"), (1, "0 passed, 4 failed, 1 skipped")])
def test_the_last_line_is_the_total(root, calls, monkeypatch, capsys, status, last):
    make_notebooks(root, "01_chain_rule")
    monkeypatch.setattr(course, "set_up", lambda *extras: Path(sys.executable))
    monkeypatch.setattr(course, "fetch_corpora", lambda python: False)
    calls.status = status
    assert course.main(["test"]) == status
    out = capsys.readouterr().out
    assert out.splitlines()[-1] == last and "NOT COMPARED" in out
