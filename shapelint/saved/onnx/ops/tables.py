"""The operators of ai.onnx.ml, which files of scikit-learn and the like are made of: rows of features."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from shapelint.saved.declare import Declaration, declared
from shapelint.saved.onnx.call import Kind, Need, OperatorCall, operator
from shapelint.saved.onnx.needs import surely

_ML = "ai.onnx.ml"


def _named(*names: str) -> Iterator[str]:
    return (f"{_ML}.{name}" for name in names)


def _row(call: OperatorCall, *names: str) -> int:
    """How many values the first of these attributes has that is set; 0 where none is."""
    found = (call.step.attributes.get(name) for name in names)
    return next((len(each) for each in found if isinstance(each, tuple) and each), 0)


@operator(f"{_ML}.Scaler")
def _scaler(call: OperatorCall) -> Any:
    """As many values as there are features, or one for all."""
    shape, text = call.shape(0), "the input has {left} features, and {right} are wanted"
    counts = (_row(call, name) for name in ("offset", "scale"))
    needs = tuple(Need(shape[-1], count, Kind.CHANNELS, text, True) for count in counts if count > 1)
    return call.made(shape, torch.float32, needs=needs)


@operator(f"{_ML}.Imputer")
def _imputer(call: OperatorCall) -> Any:
    count = _row(call, "imputed_value_floats", "imputed_value_int64s")
    if count > 1:
        surely(call, call.shape(0)[-1], count, f"a table of other than {count} features")
    return call.same()


@operator(*_named("Normalizer", "Binarizer"))
def _same(call: OperatorCall) -> Any:
    return call.same(0, torch.float32 if call.step.operator == "Normalizer" else None)


@operator(f"{_ML}.LinearRegressor")
def _linear(call: OperatorCall) -> Any:
    targets = call.integer("targets", 1)
    return call.made((_rows(call, _row(call, "coefficients") // max(targets, 1)), targets), torch.float32)


def _rows(call: OperatorCall, features: int) -> int:
    """The number of rows of a table with so many features."""
    if call.rank(0) != 2:
        raise call.unsupported(f"an input of {call.rank(0)} axes")
    if not features or call.shape(0)[1] != features:
        raise call.unsupported(f"a table of other than {features} features")
    return call.shape(0)[0]


@operator(f"{_ML}.LinearClassifier")
def _linear_classifier(call: OperatorCall) -> Any:
    classes = max(_row(call, "classlabels_ints", "classlabels_strings"), 1)
    scores = _row(call, "intercepts") or classes
    count = _rows(call, _row(call, "coefficients") // scores)
    return _classified(call, count, max(classes, scores))


def _classified(call: OperatorCall, count: int, classes: int) -> Any:
    """A label for each row, and a score for each class."""
    if classes < 2:
        raise call.unsupported("a single class")
    shapes, dtypes = ((count,), (count, classes)), (torch.int64, torch.float32)
    return declared(Declaration("classify", shapes, dtypes), call.tensor(0))


@operator(*_named("TreeEnsembleRegressor", "TreeEnsembleClassifier"))
def _trees(call: OperatorCall) -> Any:
    """Features beyond the largest that a tree asks for are not looked at; with fewer it reads what is not there."""
    asked = call.step.attributes.get("nodes_featureids")
    least = max(asked) + 1 if isinstance(asked, tuple) and asked and isinstance(asked[0], int) else 0
    if call.rank(0) != 2 or not call.shape(0)[1] >= least:
        raise call.unsupported(f"an input of {call.rank(0)} axes, or of fewer than {least} features,")
    count = call.shape(0)[0]
    if call.step.operator == "TreeEnsembleRegressor":
        return call.made((count, call.integer("n_targets", 1)), torch.float32)
    return _classified(call, count, _row(call, "classlabels_int64s", "classlabels_strings"))


@operator(f"{_ML}.ZipMap")
def _zip_map(call: OperatorCall) -> Any:
    """Dicts, which are no tensors."""
    return None
