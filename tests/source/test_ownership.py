"""Whose code a source file is: what finds itself by its path still does wherever a file of ours lies."""

from __future__ import annotations

import os
from pathlib import Path

import shapelint
from shapelint.instrument.frames import is_own, is_sizes_own, is_users
from shapelint.size.number import Size
from shapelint.source import ownership
from shapelint.source.ownership import OWN_FOLDER, installed, place_in
from shapelint.source.ownership import is_own as is_own_file
from shapelint.trace.run import run_once


def test_every_file_of_the_package_is_ours_and_no_users() -> None:
    package = Path(shapelint.__file__).parent
    assert os.path.dirname(OWN_FOLDER) == str(package)
    for file in package.rglob("*.py"):
        assert is_own_file(str(file))
        assert installed(str(file))
    assert not is_own_file(__file__)
    assert not installed(__file__)


def test_code_of_the_package_is_told_from_a_users() -> None:
    assert is_own(run_once.__code__)
    assert not is_users(run_once.__code__)
    assert not is_sizes_own(run_once.__code__)
    assert is_sizes_own(Size.__add__.__code__)
    assert is_users(test_code_of_the_package_is_told_from_a_users.__code__)


def test_a_hang_is_placed_inside_the_check_and_not_in_what_called_it() -> None:
    assert ownership._OUTERMOST.is_file()
    worker = str(ownership._OUTERMOST)
    assert place_in([(worker, 3, "check"), ("/home/me/run.py", 5, "main")]) == ""
    assert place_in([("/home/me/net.py", 7, "forward"), (worker, 3, "check")]) == " at /home/me/net.py:7, in forward"
    importing = [("/home/me/net.py", 7, "forward"), ("/home/me/train.py", 9, "<module>"), (worker, 3, "check")]
    assert place_in(importing) == " at /home/me/net.py:7, in forward, run by the import at /home/me/train.py:9"
