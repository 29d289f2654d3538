"""The confirmation step: eager PyTorch and onnxruntime against predictions, and what it must leave as it was."""

from __future__ import annotations

import random
import subprocess
import sys
import textwrap
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy
import onnxruntime
import pytest
import torch
from torch import nn

from shapelint.confirm import confirm as confirm_module
from shapelint.confirm import runtime
from shapelint.confirm.confirm import ExportSubject, Shapes, confirm, too_large
from shapelint.confirm.onnx_file import Arguments, Exporter, FlatModule, export, input_tensors, output_tensors
from shapelint.confirm.runtime import check_provider
from shapelint.errors import ProviderError
from shapelint.facts.finding import Confirmation

REPAIR = {"deconv.output_padding": (1, 1)}
SIX = {"H": 6, "W": 6}
Outcome = tuple[tuple[Confirmation, ...], tuple[str, ...]]
Tensors = dict[str, torch.Tensor]
Predict = Callable[[Mapping[str, int], bool], Shapes | None]


class Founding(nn.Module):
    """The founding example: 5 and 6 both become 3, and 3 becomes 5."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.deconv = nn.ConvTranspose2d(8, 3, 3, stride=2, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.deconv(self.conv(x)))


def founding_shapes(sizes: Mapping[str, int], repaired: bool) -> Shapes:
    return ((1, 3, *((sizes[axis] - 1) // 2 * 2 + 1 + repaired for axis in ("H", "W"))),)


def image(sizes: Mapping[str, int]) -> Arguments:
    generator = torch.Generator().manual_seed(0)
    return (torch.randn(1, 3, sizes["H"], sizes["W"], generator=generator),), {}


def same_shape(sizes: Mapping[str, int], repaired: bool) -> Shapes:
    return ((1, 3, sizes["H"], sizes["W"]),)


def confirm_all(module: nn.Module, predict: Predict, sizes: Mapping[str, int]) -> Outcome:
    subject = ExportSubject(lambda: module.eval(), image, predict)
    return confirm(subject, [sizes], provider="cpu", assignments=None)


def confirm_one(module: nn.Module, predict: Predict = same_shape, sizes: Mapping[str, int] = SIX) -> Confirmation:
    """The confirmation of a module at one size, about which there are no notes."""
    (confirmation,), notes = confirm_all(module, predict, sizes)
    assert notes == ()
    return confirmation


def note_on(module: nn.Module, sizes: Mapping[str, int] = SIX) -> str:
    """The only note on a module that is not confirmed."""
    confirmations, (note,) = confirm_all(module, same_shape, sizes)
    assert confirmations == ()
    return note


def test_founding_example_as_it_is_and_repaired() -> None:
    points = [{"H": 5, "W": 5}, SIX]
    subject = ExportSubject(lambda: Founding().eval(), image, founding_shapes)
    confirmations, notes = confirm(subject, points, provider="cpu", assignments=REPAIR)
    assert notes == ()
    seen = [(each.sizes["H"], each.repaired, each.observed) for each in confirmations]
    assert seen == [
        (5, False, ((1, 3, 5, 5),)),
        (5, True, ((1, 3, 6, 6),)),
        (6, False, ((1, 3, 5, 5),)),
        (6, True, ((1, 3, 6, 6),)),
    ]
    for each in confirmations:
        assert (each.ok, each.note, each.predicted) == (True, "", each.observed)
        assert each.max_abs_error == pytest.approx(0, abs=1e-5)
        assert (each.provider, each.version) == ("CPUExecutionProvider", onnxruntime.__version__)


def test_without_assignments_only_the_model_as_it_is() -> None:
    assert not confirm_one(Founding(), founding_shapes).repaired


def test_wrong_prediction_is_not_ok() -> None:
    confirmation = confirm_one(Founding())
    assert not confirmation.ok
    assert (confirmation.observed, confirmation.note) == (((1, 3, 5, 5),), "PyTorch gives 1x3x5x5")


@dataclass
class Latent:
    mean: torch.Tensor
    extra: object = None


class Structured(nn.Module):
    """Gives tensors in a dict, a list, a tuple and a dataclass; one is the input, one is empty, one is a constant."""

    def forward(self, x: torch.Tensor) -> dict[str, object]:
        parts = [x, (x.mean(), "text"), None]
        return {"b": parts, "a": Latent(x[:, :1], extra=(torch.ones(2),)), "empty": x[:, :0], "index": x.argmax(1)}


def test_all_tensors_of_a_structured_output_are_compared_in_order() -> None:
    expected = ((1, 3, 6, 6), (), (1, 1, 6, 6), (2,), (1, 0, 6, 6), (1, 6, 6))
    confirmation = confirm_one(Structured(), lambda sizes, repaired: expected)
    assert (confirmation.ok, confirmation.observed) == (True, expected)
    assert confirmation.max_abs_error == pytest.approx(0, abs=1e-5)
    assert [tuple(each.shape) for each in output_tensors(Structured()(image(SIX)[0][0]))] == list(expected)


class Nested(nn.Module):
    def forward(self, pair: tuple[torch.Tensor, float], *, skips: Tensors, twice: bool) -> torch.Tensor:
        return pair[0] * pair[1] * (2 if twice else 1) + skips["used"]


def test_nested_and_unused_inputs() -> None:
    def inputs(sizes: Mapping[str, int]) -> Arguments:
        tensor = torch.ones(1, 3, sizes["H"], sizes["W"])
        return ((tensor, 0.5),), {"skips": {"unused": torch.zeros(7), "used": -tensor}, "twice": True}

    (confirmation,), notes = confirm(ExportSubject(Nested, inputs, same_shape), [SIX], provider="cpu", assignments=None)
    assert (confirmation.ok, confirmation.max_abs_error, notes) == (True, 0.0, ())


class Noisy(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + torch.randn_like(x)


class NoisyButNotRandom(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        torch.randn(3)
        return x + 1


def test_values_of_a_random_model_are_not_compared() -> None:
    random_one, steady = confirm_one(Noisy()), confirm_one(NoisyButNotRandom())
    assert (random_one.ok, random_one.max_abs_error) == (True, None)
    assert (steady.ok, steady.max_abs_error) == (True, 0.0)


class PlainIntegers(nn.Module):
    """Works in eager PyTorch only: under tracing a size is a tensor."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        assert all(type(size) is int for size in (*x.shape, x.size(2), x.numel(), len(x)))
        return x


def test_the_quick_exporter_sees_sizes_as_eager_pytorch_does() -> None:
    arguments = image(SIX)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file = export(FlatModule(PlainIntegers(), arguments), input_tensors(arguments))
    assert file.exporter is Exporter.TORCHSCRIPT


class Unpool(nn.Module):
    """The quick exporter refuses MaxUnpool, the other one takes it."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        values, places = nn.functional.max_pool2d(x, 2, return_indices=True)
        return nn.functional.max_unpool2d(values, places, [2, 2], output_size=x.shape)


def test_the_other_exporter_helps_where_the_quick_one_refuses() -> None:
    confirmation = confirm_one(Unpool(), sizes={"H": 7, "W": 6})
    assert (confirmation.ok, confirmation.max_abs_error) == (True, 0.0)
    assert confirmation.note == "exported with dynamo=True"


class Refused(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.ops.shapelint_test.nothing(x)  # type: ignore[no-any-return]


class RefusedTwice(nn.Module):
    """The quick exporter stops at the first line, the other one at the second."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        average = nn.functional.adaptive_avg_pool2d(x, 4)
        return average + nn.functional.adaptive_max_pool2d(x, 4)


def test_a_refusal_of_both_exporters_names_the_operator() -> None:
    torch.library.define("shapelint_test::nothing", "(Tensor x) -> Tensor")
    torch.library.impl("shapelint_test::nothing", "CPU", lambda x: x + 1)
    assert note_on(Refused()) == "not confirmed: the exporter refuses shapelint_test::nothing"


def test_a_refusal_at_several_sizes_is_one_note() -> None:
    points = [SIX, {"H": 5, "W": 5}]
    subject = ExportSubject(RefusedTwice, image, same_shape)
    confirmations, notes = confirm(subject, points, provider="cpu", assignments=None)
    assert confirmations == ()
    assert notes == ("not confirmed: the exporter refuses aten::adaptive_max_pool2d",)


class Broken(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        raise ValueError("no such size\nsecond line")


def test_a_model_that_raises_is_ok_only_where_that_was_predicted() -> None:
    surprise = confirm_one(Broken())
    assert (surprise.ok, surprise.observed, surprise.note) == (False, None, "PyTorch raises: no such size")
    expected = confirm_one(Broken(), lambda sizes, repaired: None)
    assert (expected.ok, expected.observed) == (True, None)
    assert expected.note == "PyTorch raises, as predicted: no such size"
    assert not confirm_one(nn.Identity(), lambda sizes, repaired: None).ok


def test_a_layer_that_onnxruntime_refuses_is_not_ok() -> None:
    layer = nn.ConvTranspose2d(3, 3, 3, stride=1, padding=2, dilation=3, output_padding=2)
    confirmation = confirm_one(layer, lambda sizes, repaired: ((1, 3, 10, 10),))
    assert (confirmation.ok, confirmation.observed, confirmation.max_abs_error) == (False, None, None)
    assert confirmation.note.startswith("onnxruntime cannot run it: Computed output shape is inconsistent")


class NoTensor(nn.Module):
    def forward(self, x: torch.Tensor) -> int:
        return 3


def test_a_model_without_output_tensors_is_a_note() -> None:
    assert note_on(NoTensor()) == "not confirmed: the model gives no tensor"


def test_a_model_or_inputs_that_cannot_be_made_are_notes() -> None:
    def fail(*_: object) -> nn.Module:
        raise RuntimeError("weights.pt is missing")

    subject = ExportSubject(fail, image, same_shape)
    assert confirm(subject, [SIX], provider="cpu", assignments=None) == (
        (),
        ("not confirmed: the model cannot be built on the CPU (weights.pt is missing)",),
    )
    subject = ExportSubject(nn.Identity, fail, same_shape)  # type: ignore[arg-type]
    assert confirm(subject, [SIX], provider="cpu", assignments=None)[1] == (
        "not confirmed at H=6, W=6: the inputs cannot be made (weights.pt is missing)",
    )


def test_a_huge_model_is_not_tried() -> None:
    huge = nn.Linear(100_000, 100_000, bias=False, device="meta")
    text = "the model has 10.0 billion parameters, 40.0 GB (limit 2.0 GB)"
    assert too_large(huge) == text
    assert too_large(Founding()) is None
    assert note_on(huge) == f"not confirmed: {text}"


def test_huge_inputs_are_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    subject = ExportSubject(Founding, image, founding_shapes, memory=lambda sizes: 12 * sizes["H"] * sizes["W"])
    large = {"H": 100_000, "W": 100_000}
    assert confirm(subject, [large], provider="cpu", assignments=None) == (
        (),
        ("not confirmed at H=100000, W=100000: it takes 120.0 GB of memory (limit 2.0 GB)",),
    )
    monkeypatch.setattr(confirm_module, "LIMIT", 3000)
    note = note_on(Founding(), {"H": 20, "W": 20})
    assert note == "not confirmed at H=20, W=20: it takes 0.0 GB of memory (limit 0.0 GB)"


class Forgetful(nn.Module):
    """Changes everything that a forward can change."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0
        self.sizes: list[int] = []
        self.cache: dict[int, torch.Tensor] = {}
        self.total = nn.Buffer(torch.zeros(3))
        self.norm = nn.BatchNorm2d(3).train()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        self.sizes.append(x.shape[-1])
        self.cache[x.shape[-1]] = self.late = x
        self.total.add_(x.sum((0, 2, 3)))
        return torch.relu(self.norm(x))


def test_a_given_instance_is_left_as_it_was() -> None:
    net = Forgetful()
    net.training = False
    calls = []
    handle = net.register_forward_hook(lambda *_: calls.append(1))
    state = {name: value.clone() for name, value in net.state_dict().items()}
    names = set(vars(net))
    (confirmation,), _ = confirm(ExportSubject(lambda: net, image, same_shape), [SIX], provider="cpu", assignments=None)
    assert confirmation.max_abs_error == pytest.approx(0, abs=1e-5)
    assert calls
    assert set(vars(net)) == names
    assert (net.calls, net.sizes, net.cache) == (0, [], {})
    assert (net.training, net.norm.training) == (False, True)
    assert all(torch.equal(state[name], value) for name, value in net.state_dict().items())
    handle.remove()
    assert not net._forward_hooks


def test_assignments_are_taken_back() -> None:
    net = Founding().eval()
    confirm(ExportSubject(lambda: net, image, founding_shapes), [SIX], provider="cpu", assignments=REPAIR)
    assert net.deconv.output_padding == (0, 0)


def test_assignments_reach_the_outermost_module() -> None:
    net = nn.ConvTranspose2d(3, 3, 3, stride=2, padding=1).eval()
    subject = ExportSubject(lambda: net, image, lambda sizes, repaired: ((1, 3, 11 + repaired, 11),))
    confirmations, _ = confirm(subject, [SIX], provider="cpu", assignments={"output_padding": (1, 0)})
    assert [each.ok for each in confirmations] == [True, True]


def global_state() -> tuple[object, ...]:
    return (
        torch.is_grad_enabled(),
        torch.get_default_dtype(),
        torch.get_num_threads(),
        torch.get_rng_state().tolist(),
        random.getstate(),
        numpy.random.get_state()[1].tolist(),  # type: ignore[index]
        list(warnings.filters),
        sys.stdout,
        sys.stderr,
    )


def test_global_state_is_left_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(7)
    random.seed(7)
    numpy.random.seed(7)
    before = global_state()
    confirm_one(Noisy())
    confirm_one(Broken())
    assert global_state() == before
    assert not list(tmp_path.iterdir())


def test_nothing_is_printed() -> None:
    program = """
        import torch
        from torch import nn
        from shapelint.confirm.confirm import ExportSubject, confirm

        class Loud(nn.Module):
            def forward(self, x):
                print("loud")
                return x if x.sum() > 0 else -x

        refused_by_onnxruntime = nn.ConvTranspose2d(3, 3, 3, dilation=3, output_padding=2)
        for module in (Loud(), refused_by_onnxruntime, nn.AdaptiveMaxPool2d(4), Loud()):
            subject = ExportSubject(lambda: module, lambda sizes: ((torch.randn(1, 3, 6, 6),), {}), lambda *_: ((1,),))
            confirm(subject, [{}], provider="cpu", assignments=None)
    """
    command = [sys.executable, "-W", "always", "-c", textwrap.dedent(program)]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, "", "")


class Loud(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        sys.stdout.write("loud\n")
        return x


def test_a_model_prints_nothing_to_replaced_streams(capsys: pytest.CaptureFixture[str]) -> None:
    assert confirm_one(Loud()).ok
    assert capsys.readouterr() == ("", "")


def test_an_unknown_provider() -> None:
    with pytest.raises(ProviderError, match=r"^unknown provider `rocm`: use one of cpu, cuda$"):
        check_provider("rocm")


def test_a_missing_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    check_provider("cpu")
    with pytest.raises(ProviderError) as caught:
        confirm(ExportSubject(Founding, image, founding_shapes), [SIX], provider="cuda", assignments=None)
    assert str(caught.value) == (
        f"CUDAExecutionProvider is not among the providers of onnxruntime {onnxruntime.__version__} "
        "(CPUExecutionProvider): run `pip install onnxruntime-gpu[cuda,cudnn]` (or `pip install shapelint[gpu]`)"
    )


class FallenBack(onnxruntime.InferenceSession):  # type: ignore[misc]
    """A session whose provider's libraries did not load, as onnxruntime reports it: by its providers alone."""

    def get_providers(self) -> list[str]:
        return ["CPUExecutionProvider"]


def test_a_provider_that_falls_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider"])
    monkeypatch.setattr(onnxruntime, "InferenceSession", FallenBack)
    with pytest.raises(ProviderError) as caught:
        check_provider("cuda")
    assert str(caught.value) == (
        "CUDAExecutionProvider does not start (onnxruntime fell back to CPUExecutionProvider): "
        "run `pip install onnxruntime-gpu[cuda,cudnn]` (or `pip install shapelint[gpu]`)"
    )


def test_a_provider_that_falls_back_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "check_provider", lambda provider: None)
    monkeypatch.setattr(onnxruntime, "InferenceSession", FallenBack)
    with pytest.raises(ProviderError, match="fell back to CPUExecutionProvider"):
        confirm(ExportSubject(Founding, image, founding_shapes), [SIX], provider="cuda", assignments=None)
