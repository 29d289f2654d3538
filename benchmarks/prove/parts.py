"""The parts of the proof, and what each is checked against."""

from __future__ import annotations

from benchmarks.prove import files, models, mutants, operations, repairs, sizes, torch_data
from benchmarks.prove.trial import Part

PARTS = (
    Part("operations", "eager PyTorch, invalid arguments included", 2, operations.trial),
    Part("torch", "eager PyTorch, on the samples and error inputs of its own tests", 3, torch_data.trial),
    Part("models", "eager PyTorch at 30 sizes each", 5, models.trial),
    Part("sizes", "brute force on integers", 1, sizes.trial),
    Part("repairs", "eager PyTorch, and every legal `output_padding`", 2, repairs.trial),
    Part("mutants", "eager PyTorch, and what the model gave before it was broken", 2, mutants.trial),
    Part("files", "onnxruntime at 8 sizes each", 1, files.trial),
)
