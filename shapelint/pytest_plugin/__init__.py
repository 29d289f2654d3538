"""For pytest: the fixture `shapelint`, and `pytest --shapelint`, which checks each model of a project as a test.

pytest loads this module by itself, in every run of everybody who has shapelint installed: so it imports nothing but
pytest, and torch comes in when a test uses the fixture or a model is checked.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from shapelint.pytest_plugin.items import Collection, ModelFile
    from shapelint.report.report import Report

_ALL = "shapelint_all"


class Shapelint:
    """What the fixture gives: `check` fails the test, `report` only reports."""

    def check(self, target: Any, inputs: Any = None, **options: Any) -> Report:
        """The report of `shapelint.check` with the same arguments; fails the test on an error or a warning."""
        __tracebackhide__ = True
        report = self.report(target, inputs, **options)
        if not report.ok:
            pytest.fail(f"shapelint\n{report}", pytrace=False)
        return report

    def report(self, target: Any, inputs: Any = None, **options: Any) -> Report:
        """The report of `shapelint.check` with the same arguments, whatever it says."""
        from shapelint.engine import check

        return check(target, inputs, **options)

    def hold(self, target: str, inputs: Any = None, *, lock: str = "shapelint.lock", **options: Any) -> Report:
        """The report of a model that is in a lock; fails the test where a size was lost since the lock was written.

        The target is written as in the lock, such as "net.py:Net". Raises SpecError where the lock does not have it.
        """
        __tracebackhide__ = True
        from shapelint.pytest_plugin.locked import losses

        report = self.report(target, inputs, **options)
        lost = losses([report], lock)
        if lost:
            pytest.fail(f"shapelint\n{lost}", pytrace=False)
        return report


@pytest.fixture(scope="session")
def shapelint() -> Shapelint:
    """Checks models: `shapelint.check(Net, "1,3,H,W")` fails the test where sizes do not fit."""
    return Shapelint()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds --shapelint and --shapelint-lock."""
    text = "check the models of [tool.shapelint] and those with a comment `# shapelint: input=...`, each as a test"
    group = parser.getgroup("shapelint")
    group.addoption("--shapelint", action="store_true", help=text)
    text = "one test more, which fails where a model of the project lost sizes since shapelint.lock was written"
    group.addoption("--shapelint-lock", action="store_true", help=text)


def pytest_configure(config: pytest.Config) -> None:
    """Makes the marker known that the tests of models have."""
    config.addinivalue_line("markers", "shapelint: the check of a model's sizes (pytest --shapelint)")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> ModelFile | None:
    """The models of a Python file, where they are asked for."""
    if file_path.suffix != ".py" or not parent.config.getoption("--shapelint"):
        return None
    return _collection(parent.config).file(file_path, parent)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Adds the models outside of the folders with tests, where no path was named on the command line, and the lock."""
    if config.getoption("--shapelint-lock"):
        from shapelint.pytest_plugin.locked import LockItem

        items.append(LockItem.of(session))
    if config.getoption("--shapelint") and _everything(config):
        items += _collection(config).others(session, items)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tells a worker of pytest-xdist, to which all paths look named, whether they were."""
    node.workerinput[_ALL] = _everything(node.config)


def _everything(config: pytest.Config) -> bool:
    told = getattr(config, "workerinput", {}).get(_ALL)
    return config.args_source is not pytest.Config.ArgsSource.ARGS if told is None else bool(told)


_key = pytest.StashKey["Collection"]()


def _collection(config: pytest.Config) -> Collection:
    if _key not in config.stash:
        from shapelint.pytest_plugin.items import Collection

        config.stash[_key] = Collection()
    return config.stash[_key]
