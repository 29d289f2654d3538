"""From a target to a module to trace: 'pkg.mod:Net', 'file.py:Net', a class, a factory or a module object.

Only this package of the way to the trace imports torch, and only `load` runs the user's code. `target` finds and
imports, `build` constructs (on meta where that goes), `sites` remembers where each layer was constructed, `guess`
finds that place in the source of a module that was given ready-made. `overlay` lets files have other texts for a while.
"""

from shapelint.load.build import Loaded, load
from shapelint.load.sites import Site
from shapelint.load.target import edited, import_path, packages_first

__all__ = ["Loaded", "Site", "edited", "import_path", "load", "packages_first"]
