"""How files of settings say that a class is built, and the defaults of the classes of settings that it takes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from shapelint.evidence.config_files import Section, sections
from shapelint.evidence.definitions import Constructor, constructor
from shapelint.evidence.scopes import OWNERS, Modules, NameScope, NotLiteral
from shapelint.evidence.settings import SettingsObject
from shapelint.evidence.usage import Usage
from shapelint.evidence.values import answering, value
from shapelint.source.syntax import file_tree

_KINDS: Final = ("_target_", "target", "class_path", "class_name", "class", "type", "name", "arch", "model")
_INNER: Final = ("init_args", "params", "args", "kwargs", "arguments", "config")
_SETTINGS: Final = re.compile(r"(Config|Configuration|Settings|Args|Arguments|Options|Params|Hparams|HParams)$")
_MODELS: Final = re.compile(r"model|net|backbone|encoder|decoder|generator|discriminator|arch", re.IGNORECASE)


def configured(file: str, name: str, modules: Modules) -> Iterator[Usage]:
    """What files of settings and defaults say of the arguments of a class: those that name it come first."""
    known = constructor(file, name)
    if known is None or not known.required:
        return
    found = list(sections(file))
    yield from (usage for each in found if (usage := _by_name(each, file, name, known)) is not None)
    ranked = sorted(found, key=lambda each: not _MODELS.search(each.key))
    yield from (usage for each in ranked if (usage := _by_keys(each, name, known)) is not None)
    scope = modules.of(file)
    usage = None if scope is None else _by_defaults(file, known, scope)
    if usage is not None:
        yield usage


def _by_name(section: Section, file: str, name: str, known: Constructor) -> Usage | None:
    """`_target_: pkg.Net` with its arguments beside it, or in a mapping of its own below."""
    entries = section.entries
    kind = next((key for key in _KINDS if _names_class(entries.get(key), file, name)), None)
    if kind is None:
        return None
    below = (entries[key] for key in _INNER if isinstance(entries.get(key), dict) and key not in known.names)
    inner = next(below, None)
    given = {key: each for key, each in (inner or entries).items() if key in known.names and (inner or key != kind)}
    return _usage(section, given, known)


def _names_class(text: Any, file: str, name: str) -> bool:
    """Whether a text is the name of the class, alone or after that of its module or of a package around it."""
    if not isinstance(text, str):
        return False
    module, _, last = text.rpartition(".")
    own = {Path(file).stem, *(part.name for part in list(Path(file).parents)[:3])}
    return last == name and (not module or module.rpartition(".")[2] in own)


def _by_keys(section: Section, name: str, known: Constructor) -> Usage | None:
    """A mapping that has all the arguments without a default, under a model's name or with several of them."""
    fits = set(known.required) <= section.entries.keys()
    own = section.entries.keys() <= known.names
    said = bool(_MODELS.search(section.key)) or section.key.lower() == name.lower()
    if not fits or not (said or len(known.required) > 1) or not (own or len(known.required) > 1):
        return None
    return _usage(section, {key: each for key, each in section.entries.items() if key in known.names}, known)


def _usage(section: Section, given: Mapping[str, Any], known: Constructor) -> Usage | None:
    if not set(known.required) <= given.keys() or any(_is_built(each) for each in given.values()):
        return None
    kwargs = {key: answering(each) for key, each in given.items()}
    return Usage((), kwargs, None, {}, section.file, section.line, own=False)


def _is_built(entry: Any) -> bool:
    """Whether a setting stands for an object that is built of it, which is not known here."""
    if isinstance(entry, dict):
        return "_target_" in entry or "class_path" in entry or any(map(_is_built, entry.values()))
    return isinstance(entry, list) and any(map(_is_built, entry))


def _by_defaults(file: str, known: Constructor, scope: NameScope) -> Usage | None:
    """Objects of settings with nothing but defaults, where each argument without one takes such an object."""
    kwargs: dict[str, Any] = {}
    for name in known.required:
        annotation = known.annotations.get(name)
        with suppress(NotLiteral):
            kwargs[name] = _settings(name, annotation or _only_class(file, name), scope)
    if kwargs.keys() != set(known.required):
        return None
    return Usage((), kwargs, None, {}, file, known.line, own=True)


def _only_class(file: str, name: str) -> ast.expr | None:
    """The one class of settings of a file, for `config` and its kin without an annotation."""
    tree = file_tree(file) if name in OWNERS else None
    found = [each.name for each in (tree.body if tree is not None else ()) if isinstance(each, ast.ClassDef)]
    found = [each for each in found if _SETTINGS.search(each)]
    return ast.Name(found[0]) if len(found) == 1 else None


def _settings(name: str, annotation: ast.expr | None, scope: NameScope) -> SettingsObject:
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        annotation = ast.parse(annotation.value, mode="eval").body if annotation.value.isidentifier() else None
    wanted: ast.expr = ast.Name(name) if annotation is None and name in OWNERS else ast.Constant(None)
    found = value(ast.Call(annotation, [], []) if annotation is not None else wanted, scope)
    if not isinstance(found, SettingsObject) or not found.fields:
        raise NotLiteral(name)
    return found
