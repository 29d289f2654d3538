"""Models that are files, `.onnx` and `.pt2`: read as data, and run as modules under the recorder."""

from shapelint.facts.finding import as_advice
from shapelint.saved.load import SavedModel, is_saved, load_saved

__all__ = ["SavedModel", "as_advice", "is_saved", "load_saved"]
