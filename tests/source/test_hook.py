"""Which models a changed file concerns, read from the imports of a project without running it."""

from __future__ import annotations

from pathlib import Path

import pytest

from shapelint.cli.checker import Checker
from shapelint.request.options import CheckOptions
from shapelint.source.import_graph import ImportGraph

FILES = {
    "pkg/__init__.py": "raise SystemExit",
    "pkg/net.py": "from .parts import blocks\nfrom . import late\n\nclass Net:\n    pass\n",
    "pkg/parts/__init__.py": "",
    "pkg/parts/blocks.py": "import pkg.parts.norm as norm, os\n",
    "pkg/parts/norm.py": "def later():\n    import importlib\n    importlib.import_module('pkg.named')\n",
    "pkg/named.py": "from pkg.net import Net\n",
    "pkg/late.py": "from ..outside import x\n",
    "src/flat.py": "",
    "annotated.py": "import flat\n\n# shapelint: input=1,3,H,W\nclass Net:\n    pass\n",
    "wrong.py": "def broken(:\n",
    "other.py": "import wrong\n",
    "pyproject.toml": "[tool.shapelint]\nmodels = [{ target = 'pkg.net:Net', input = '1,3,H,W' }]\n",
}


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for file, text in FILES.items():
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        Path(file).write_text(text)


@pytest.mark.parametrize(
    ("changed", "targets"),
    [
        ("pkg/net.py", ["pkg.net:Net"]),
        ("pkg/parts/blocks.py", ["pkg.net:Net"]),
        ("pkg/parts/norm.py", ["pkg.net:Net"]),
        ("pkg/parts/__init__.py", ["pkg.net:Net"]),
        ("pkg/named.py", ["pkg.net:Net"]),
        ("pkg/late.py", ["pkg.net:Net"]),
        ("pkg/__init__.py", ["pkg.net:Net"]),
        ("src/flat.py", ["annotated.py:Net"]),
        ("annotated.py", ["annotated.py:Net"]),
        ("wrong.py", []),
        ("other.py", []),
    ],
)
def test_a_changed_file_concerns_the_models_that_import_it(changed: str, targets: list[str]) -> None:
    checker = Checker(CheckOptions())
    checker.add_changed([changed])
    assert [job.target for job in checker.jobs] == targets
    assert not checker.failed


def test_several_files_name_each_model_once() -> None:
    checker = Checker(CheckOptions())
    checker.add_changed(["pkg/net.py", "pkg/named.py", "annotated.py", "src/flat.py"])
    assert [job.target for job in checker.jobs] == ["pkg.net:Net", "annotated.py:Net"]
    nothing = Checker(CheckOptions())
    nothing.add_changed([])
    assert nothing.jobs == []


def test_imports_in_a_circle_come_to_an_end() -> None:
    start, folder = str(Path("pkg/net.py").resolve()), str(Path.cwd())
    assert ImportGraph().reaches(start, {str(Path("pkg/named.py").resolve())}, folder)
    assert not ImportGraph().reaches(start, {str(Path("other.py").resolve())}, folder)
