"""The user's syntax tree, changed so that no size is lost where Python asks others than the size.

Python asks the left operand of `0.5 * h` first, an element of a list is found without a word to its index, and
`max(h, w)` makes plain ints. So what is called, a left operand and an index go through a function of ours, which looks
at the value there is when the code runs: a name says nothing. Places in the source stay what they are.
"""

from __future__ import annotations

import ast
import copy
from typing import Any, Final, TypeVar

from shapelint.instrument import loops
from shapelint.instrument.branches import adds_up, asked, chooses, cropped, either, inlined, later, repeats, set_place
from shapelint.instrument.fitting_ifs import with_fitting_ifs
from shapelint.instrument.gone_through import (
    MAPPED,
    TURNS,
    cut,
    cut_some,
    cuts,
    gone_through,
    made_call,
    may_be_counted,
    of_one,
    places_of_cuts,
)
from shapelint.instrument.identity import IDENTIFIED, MARKED, SAME
from shapelint.instrument.names import handed_on, names_of
from shapelint.instrument.paddings import PADDED, PADS
from shapelint.instrument.resizes import CUTS, RESIZES
from shapelint.instrument.targets import is_fixed, may_be_key, parts_of_target
from shapelint.instrument.text_keys import KEY_OF, KEY_TEXT, with_key_texts

LEFT: Final = "__shapelint_left_operand__"
COMPARED: Final = "__shapelint_compared__"
MIDDLE: Final = "__shapelint_compared_on__"
ADDED: Final = "__shapelint_added__"
ITEM: Final = "__shapelint_item__"
PLACE: Final = "__shapelint_place__"
CODE_OF: Final = "__shapelint_code_of__"
CALLEE: Final = "__shapelint_callee__"
IN_PLACE: Final = "__shapelint_in_place_of__"
SLICE: Final = "__shapelint_slice__"
STAND_IN: Final = "__shapelint_stand_in__"
SETS: Final = "__shapelint_sets__"
CHOSEN: Final = "__shapelint_chosen__"
CROPS: Final = "__shapelint_crops__"
FILLED: Final = "__shapelint_filled__"
COUNTED: Final = "__shapelint_counted__"
CONTAINED: Final = "__shapelint_contained__"
WHOLE: Final = "__shapelint_whole__"
ITERATED: Final = "__shapelint_iterated__"
_STANDING_IN: Final = frozenset({"math", "numpy", "random"})
_ARITHMETIC: Final = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.BitAnd, ast.BitOr,
                      ast.BitXor, ast.LShift, ast.RShift)  # fmt: skip
_COMPARISONS: Final = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)
_OF_TEXTS: Final = frozenset({"eval", "exec"})
_OURS: Final = (KEY_TEXT, KEY_OF, PADS, PADDED, RESIZES, CUTS, IDENTIFIED, MARKED, SAME)
_OF_OBJECTS: Final = {"id": IDENTIFIED, "setattr": MARKED}
# Builtins that are called in every other line and take no size; nobody gives these names to what does.
_PASSED_BY: Final = frozenset({
    "isinstance", "issubclass", "super", "getattr", "setattr", "hasattr", "callable", "print", "locals", "vars",
})  # fmt: skip


Tree = TypeVar("Tree", bound=ast.AST)
_Function = TypeVar("_Function", ast.FunctionDef, ast.AsyncFunctionDef)


def rewritten(node: Tree) -> Tree:
    """A statement or a whole tree with our functions in it; the tree is changed in place."""
    changed: Tree = _Rewriter().visit(node)
    return ast.fix_missing_locations(changed)


class _Rewriter(ast.NodeTransformer):
    """Puts our functions around callees, left operands and computed indices."""

    _closes = False

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        fixed = isinstance(node.right, ast.Constant) or _leaves(node.left, text=isinstance(node.op, ast.Mod))
        if isinstance(node.op, _ARITHMETIC) and not fixed:
            node.left = made_call(LEFT, node.left, node.left)
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        self.generic_visit(node)
        if len(node.ops) == 1 and isinstance(node.ops[0], ast.In | ast.NotIn):
            inside: ast.expr = made_call(CONTAINED, node, node.left, node.comparators[0])
            outside = ast.copy_location(ast.UnaryOp(ast.Not(), inside), node)
            return inside if isinstance(node.ops[0], ast.In) else outside
        operands = [node.left, *node.comparators]
        constant = any(isinstance(each, ast.Constant) for each in operands)
        if len(node.ops) == 1 and isinstance(node.ops[0], ast.Is | ast.IsNot) and not constant:
            same: ast.expr = made_call(SAME, node, node.left, node.comparators[0])
            return same if isinstance(node.ops[0], ast.Is) else ast.copy_location(ast.UnaryOp(ast.Not(), same), node)
        for index, comparison in enumerate(node.ops):
            if isinstance(comparison, _COMPARISONS) and not isinstance(operands[index + 1], ast.Constant):
                identity = index and isinstance(node.ops[index - 1], ast.Is | ast.IsNot)
                if not identity and not _leaves(operands[index]):
                    operands[index] = made_call(MIDDLE if index else COMPARED, operands[index], operands[index])
        node.left, node.comparators = operands[0], operands[1:]
        return node

    def visit_Dict(self, node: ast.Dict) -> ast.expr:
        """What is put into a display as a whole, as `{**one, **two}` does."""
        self.generic_visit(node)
        named = zip(node.keys, node.values, strict=True)
        node.values = [value if name else made_call(WHOLE, value, value) for name, value in named]
        return node

    def visit_Starred(self, node: ast.Starred) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.ctx, ast.Load):
            node.value = made_call(WHOLE, node.value, node.value)
        return node

    def visit_comprehension(self, node: ast.comprehension) -> ast.comprehension:
        self.generic_visit(node)
        node.iter = made_call(ITERATED, node.iter, node.iter)
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.stmt:
        """The left operand is the target, so that the value on the right has a look at it."""
        seen = parts_of_target(node.target)
        self.generic_visit(node)
        if isinstance(node.op, _ARITHMETIC) and not isinstance(node.value, ast.Constant):
            node.value = made_call(ADDED, node.value, node.value, *map(self.visit, seen))
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        owner = copy.deepcopy(node.value) if repeats(node.value) else None
        fixed = is_fixed(node.slice) and not may_be_key(node.value, node.slice)
        self.generic_visit(node)
        if fixed:
            return node
        if not isinstance(node.ctx, ast.Load):
            if owner is not None and not isinstance(node.slice, ast.Slice):
                node.slice = made_call(PLACE, node.slice, self.visit(owner), node.slice)
            return node
        index: ast.expr = node.slice
        if isinstance(index, ast.Slice):
            bounds = [each or ast.Constant(None) for each in (index.lower, index.upper, index.step)]
            index = made_call(SLICE, node.slice, *bounds)
        return made_call(ITEM, node, node.value, index)

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.ctx, ast.Store) and not (isinstance(node.value, ast.Name) and node.value.id == "self"):
            node.value = made_call(MARKED, node.value, node.value)
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name in _OF_OBJECTS and node.args:
            node.args[0] = made_call(_OF_OBJECTS[name], node.args[0], node.args[0])
        if name in _OF_TEXTS and node.args:  # they look at the variables of the function that calls them
            node.args[0] = made_call(CODE_OF, node.args[0], node.func, node.args[0])
        elif name not in _PASSED_BY and name not in _OURS:
            given = node.args or node.keywords or _sorts(node.func)
            node.func = made_call(CALLEE if given else IN_PLACE, node.func, node.func)
        return node

    def visit_If(self, node: ast.If) -> ast.stmt:
        """One that only sets a number may be no branch: see `choices.py`."""
        seen, both, crop = set_place(node), either(node), cropped(node) if self._closes else None
        self.generic_visit(node)
        if crop is not None:
            described = ast.copy_location(ast.Tuple([self.visit(each) for each in crop], ast.Load()), node.test)
            node.test = made_call(CROPS, node.test, later(described), later(node.test))
        if seen is not None:
            place, number = map(self.visit, seen[:2]), seen[2]
            node.test = made_call(SETS, node.test, *asked(node.test), *place, number)
        if both is None or not self._closes:
            return node
        target, first, second = both[0].targets, both[0].value, both[1].value
        return ast.copy_location(ast.Assign(target, self._chosen(node, first, second)), node)

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        """One of two numbers, as of an `if` that sets a number."""
        numbers = self._closes and chooses(node.test) and adds_up(node.body, node.orelse)
        self.generic_visit(node)
        return self._chosen(node, node.body, node.orelse) if numbers else node

    def _chosen(self, node: ast.If | ast.IfExp, *values: ast.expr) -> ast.expr:
        return made_call(CHOSEN, node.test, *asked(node.test), *map(later, values))

    def visit_Assign(self, node: ast.Assign) -> ast.stmt:
        """The pieces of a tensor may be as many as a size says; a tuple on the left says how many there are."""
        named = self._closes and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)
        in_pieces = named and cuts(node.value)
        was, names = node.value, names_of(node.value) if self._closes else ""
        self.generic_visit(node)
        node.value = cut(node.value) if in_pieces else handed_on(node.value, was, names)
        return node

    def visit_For(self, node: ast.For) -> Any:
        """What it goes through may be counted by a size; then the lists that it fills have as many items."""
        about = loops.about(node) if self._closes and may_be_counted(node.iter) else None
        places = places_of_cuts(node.iter)
        self.generic_visit(node)
        if about is None:
            node.iter = made_call(ITERATED, node.iter, node.iter)
            return node
        cut_some(node.iter, places)
        node.body[:0] = [_again(node, COUNTED, name, ast.Constant(name)) for name in loops.counted_by(node)]
        node.iter = gone_through(TURNS, node.iter, about)
        return [node, *(_again(node, FILLED, name) for name in about[1])]

    def visit_ListComp(self, node: ast.ListComp) -> ast.expr:
        """A loop that fills a list with one item in each turn."""
        about = loops.of_comprehension(node) if self._closes else None
        counted = about is not None and may_be_counted(node.generators[0].iter)
        places = places_of_cuts(node.generators[0].iter)
        self.generic_visit(node)
        if about is None or not counted:
            return node
        through = node.generators[0].iter.args[0]  # type: ignore[attr-defined]
        cut_some(through, places)
        return gone_through(MAPPED, through, about, of_one(node))

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.stmt:
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.stmt:
        return self._function(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.stmt:
        return self._scope(node)

    def visit_Lambda(self, node: ast.Lambda) -> ast.expr:
        return self._scope(node)

    def _function(self, node: _Function) -> _Function:
        """In its body a lambda sees what the code around it sees; not so in a class, nor in what a class gives it."""
        inside, node.body = with_key_texts(loops.with_filled(inlined(with_fitting_ifs(ast.Module(node.body, []))))), []
        self._scope(node)
        before, self._closes = self._closes, True
        node.body = self.generic_visit(inside).body  # type: ignore[attr-defined]
        self._closes = before
        return node

    def _scope(self, node: Tree) -> Tree:
        before, self._closes = self._closes, False
        self.generic_visit(node)
        self._closes = before
        return node

    def visit_Import(self, node: ast.Import) -> Any:
        names = [each.asname or each.name.partition(".")[0] for each in node.names if _stands_in(each.name)]
        return [node, *(_stood_in(node, name) for name in names)]

    def visit_ImportFrom(self, node: ast.ImportFrom) -> Any:
        if node.level or not _stands_in(node.module or ""):
            return node
        return [node, *(_stood_in(node, each.asname or each.name) for each in node.names)]

    def visit_MatchValue(self, node: ast.MatchValue) -> ast.MatchValue:
        return node  # a pattern takes no calls

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:
        if node.value is not None:
            was, names = node.value, names_of(node.value) if self._closes else ""
            node.value = handed_on(self.visit(was), was, names)
        return node


def _leaves(operand: ast.expr, *, text: bool = False) -> bool:
    """Whether an operand is a constant that leaves the operation to a size, as floats and texts before `%` do not."""
    asking = (float, complex, bool, str, bytes) if text else (float, complex, bool)
    return isinstance(operand, ast.Constant) and not isinstance(operand.value, asking)


def _sorts(function: ast.expr) -> bool:
    """Whether a method without arguments is one that compares what its list has."""
    return isinstance(function, ast.Attribute) and function.attr == "sort"


def _stands_in(module: str) -> bool:
    return module.partition(".")[0] in _STANDING_IN


def _stood_in(node: ast.stmt, name: str) -> ast.stmt:
    """`name = stand_in(name)`, after an import."""
    read = ast.copy_location(ast.Name(name, ast.Load()), node)
    call = made_call(STAND_IN, read, read)
    return ast.copy_location(ast.Assign([ast.copy_location(ast.Name(name, ast.Store()), node)], call), node)


def _again(node: ast.stmt, function: str, name: str, *arguments: ast.expr) -> ast.stmt:
    """`name = function(name)`."""
    read = ast.copy_location(ast.Name(name, ast.Load()), node)
    call = made_call(function, read, read, *arguments)
    return ast.copy_location(ast.Assign([ast.copy_location(ast.Name(name, ast.Store()), node)], call), node)

