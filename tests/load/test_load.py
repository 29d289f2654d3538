"""From a target to a module on meta with the places of its layers, and the one line that each wrong target gets."""

import random
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import nn

import shapelint
from shapelint.errors import TargetError
from shapelint.load import import_path, load
from shapelint.source.model_names import check_name
from shapelint.source.span import Span

SOURCE = """
import copy
import torch
from torch import nn
from blocks import conv


class Net(nn.Module):
    def __init__(self, width=8):
        super().__init__()
        self.down = nn.Conv2d(3, width, 3, stride=2)
        self.up = nn.ConvTranspose2d(
            width, 3, 3, stride=2)
        self.helped = conv(3)
        self.stack = nn.Sequential(nn.ReLU(), nn.Conv2d(3, 3, 1))
        self.copies = nn.ModuleList([copy.deepcopy(self.helped) for _ in range(2)])
        self.table, self.scale = torch.arange(3.0), torch.tensor(2.0)

    def forward(self, x):
        return self.up(self.down(x))


class Rates(Net):
    def __init__(self):
        super().__init__()
        self.rates = [rate.item() for rate in torch.linspace(0, 1, 3)]
        self.huge = nn.Linear(100_000, 100_000)


class Needs(Net):
    def __init__(self, channels, depth=3):
        super().__init__()
        raise ValueError("channels must be\\neven")


class Outer:
    class Inner(Net):
        pass


def factory(width):
    return Net(width)


def number():
    return 3


class Parts(nn.Module):
    pass


net = Net()
CONFIG = {"width": 8}
"""


MISSING = (
    "cannot build Needs: TypeError: missing a required argument: 'channels'; "
    "give it with --kwargs '{\"channels\": ...}' (init_kwargs in Python) or write the call with --build"
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A current directory with a model in it, each time another one."""
    (tmp_path / "mymodel.py").write_text(SOURCE)
    (tmp_path / "blocks.py").write_text("from torch import nn\ndef conv(n):\n    return nn.Conv2d(n, n, 3)\n")
    monkeypatch.chdir(tmp_path)
    before = list(sys.path)
    yield tmp_path
    assert sys.path == before


def marked(span: Span) -> str:
    """The text that a span marks, up to the end of its first line."""
    return span.text()[span.column - 1 : span.end_column - 1 if span.line == span.end_line else None]


def refused(target: object, **options: object) -> str:
    with pytest.raises(TargetError) as error:
        load(target, **options)  # type: ignore[arg-type]
    return str(error.value)


@pytest.mark.parametrize("target", ["mymodel:Net", "mymodel.py:Net", "mymodel:Outer.Inner"])
def test_a_class_is_built_on_meta_and_its_layers_are_placed(target: str, folder: Path) -> None:
    loaded = load(target)
    assert loaded.name == target
    assert not loaded.given
    assert all(tensor.is_meta for tensor in loaded.module.parameters())
    assert {path: marked(loaded.sites[path].inner()) for path in ("down", "up", "helped", "stack.1", "copies.1")} == {
        "down": "nn.Conv2d(3, width, 3, stride=2)",
        "up": "nn.ConvTranspose2d(",
        "helped": "nn.Conv2d(n, n, 3)",
        "stack.1": "nn.Conv2d(3, 3, 1)",
        "copies.1": "nn.Conv2d(n, n, 3)",
    }
    assert loaded.sites["up"].span() == Span(str(folder / "mymodel.py"), 12, 19, 13, 35)
    assert [marked(call.span()) for call in loaded.sites["helped"].calls] == ["nn.Conv2d(n, n, 3)", "conv(3)"]


def test_a_site_in_an_installed_package_is_placed_at_the_users_line(folder: Path) -> None:
    package = folder / "site-packages" / "zoo.py"
    package.parent.mkdir()
    build = "class Zoo(nn.Sequential):\n    def __init__(self):\n        super().__init__(nn.Conv2d(3, 3, 1))\n"
    package.write_text("from torch import nn\n" + build)
    (folder / "uses.py").write_text("import sys\nsys.path.append('site-packages')\nfrom zoo import Zoo\nnet = Zoo()\n")
    site = load("uses:net").sites["0"]
    sys.path.remove("site-packages")
    assert (marked(site.inner()), marked(site.span())) == ("nn.Conv2d(3, 3, 1)", "Zoo()")


def test_ten_billion_parameters_take_no_memory_though_the_constructor_wants_values() -> None:
    loaded = load("mymodel:Rates")
    assert vars(loaded.module)["rates"] == [0.0, 0.5, 1.0]
    assert sum(weight.numel() for weight in loaded.module.parameters()) > 10**10
    assert loaded.notes == ()


def test_what_cannot_be_built_on_meta_is_built_on_the_cpu_and_moved() -> None:
    def orthogonal() -> nn.Module:
        return nn.Sequential(nn.utils.parametrizations.orthogonal(nn.Linear(30, 30)))

    loaded = load(orthogonal)
    reason = "RuntimeError: Tensor.item() cannot be called on meta tensors"
    assert loaded.notes == (f"orthogonal cannot be built on meta ({reason}), so it was built on the CPU",)
    assert all(weight.is_meta for weight in loaded.module.parameters())


@pytest.mark.parametrize("wrapped", [nn.utils.parametrizations.weight_norm, nn.utils.parametrizations.spectral_norm])
def test_a_parametrized_layer_builds_and_runs_on_meta(wrapped: partial[nn.Module]) -> None:
    module = load(lambda: nn.Sequential(wrapped(nn.Conv2d(3, 4, 3)))).module
    assert module(torch.empty(1, 3, 8, 8, device="meta")).shape == (1, 4, 6, 6)


def test_indices_made_on_the_device_of_a_weight_keep_their_numbers_where_the_module_can_be_built_so() -> None:
    class Windows(nn.Linear):
        """As timm's swinv2, whose index of relative positions is made where its weights are."""

        def __init__(self) -> None:
            super().__init__(300, 300)
            self.register_buffer("index", torch.empty(4, 4, dtype=torch.long))
            tokens = torch.arange(4, device=self.weight.device)
            self.get_buffer("index").copy_(tokens[:, None] - tokens[None, :] + 3)

    class Positions(nn.Embedding):
        def __init__(self) -> None:
            super().__init__(300, 300)
            self.first = nn.Parameter(self(torch.arange(4, device=self.weight.device)))

    assert load(Windows).module.get_buffer("index")[0].tolist() == [3, 2, 1, 0]
    loaded = load(Positions)
    assert loaded.notes == ()
    assert loaded.module.get_parameter("first").is_meta


def test_large_plain_tensors_go_to_meta_too_but_small_ones_and_small_buffers_keep_their_numbers() -> None:
    class Plain(nn.Sequential):
        def __init__(self) -> None:
            super().__init__(nn.Linear(3, 3), nn.BatchNorm2d(3))
            self.tables, self.scale = [torch.arange(5000.0), torch.arange(3.0)], torch.tensor(2.0)
            self.register_buffer("steps", torch.tensor([1008, 512]))

    module = load(Plain).module
    assert vars(module)["tables"][0].is_meta
    assert vars(module)["tables"][1].tolist() == [0.0, 1.0, 2.0]
    assert vars(module)["scale"].item() == 2.0
    assert module.get_buffer("steps").tolist() == [1008, 512]
    assert module.get_submodule("0").weight.is_meta
    assert module.get_submodule("1").running_mean.is_meta


def test_rebuild_gives_a_real_module_of_the_same_arguments() -> None:
    given = {"widths": [4]}

    def build(widths: list[int]) -> nn.Module:
        return nn.Sequential(nn.Conv2d(3, widths.pop(), 3))

    loaded = load(build, init_kwargs=given)
    assert loaded.rebuild is not None
    assert loaded.rebuild()(torch.ones(1, 3, 5, 5)).shape == (1, 4, 3, 3)
    assert given == {"widths": [4]}


def test_a_ready_made_module_is_left_alone_and_placed_by_its_source() -> None:
    with import_path("mymodel:net"):
        import mymodel  # type: ignore[import-not-found]
    loaded = load(mymodel.net)
    assert loaded.given
    assert loaded.module is mymodel.net
    assert loaded.rebuild is None
    assert {path: marked(site.span()) for path, site in loaded.sites.items()} == {
        "down": "nn.Conv2d(3, width, 3, stride=2)",
        "up": "nn.ConvTranspose2d(",
        "stack": "nn.Sequential(nn.ReLU(), nn.Conv2d(3, 3, 1))",
        "stack.0": "nn.ReLU()",
        "stack.1": "nn.Conv2d(3, 3, 1)",
        "copies": "nn.ModuleList([copy.deepcopy(self.helped) for _ in range(2)])",
    }


class Wide(nn.Conv2d):
    def __init__(self, width: int) -> None:
        super().__init__(width, 2 * width, 3)


class Doubtful(nn.Module):
    def __init__(self, wide: bool = True) -> None:
        super().__init__()
        self.sure = Wide(3)
        self.grown = nn.Sequential(nn.Conv2d(3, 3, 1))
        self.grown.append(nn.ReLU())
        if wide:
            self.either = nn.Conv2d(3, 8, 3)
        else:
            self.either = nn.Conv2d(3, 4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.either(x)
        return result


def test_a_layer_of_the_users_own_class_is_placed_where_it_is_constructed_not_in_its_constructor() -> None:
    for loaded in (load(Doubtful), load(Doubtful())):
        assert marked(loaded.sites["sure"].inner()) == "Wide(3)"


def test_a_ready_made_layer_with_two_possible_places_has_none_and_a_watched_one_has_its_own() -> None:
    assert set(load(Doubtful()).sites) == {"sure", "grown"}
    assert marked(load(Doubtful).sites["either"].inner()) == "nn.Conv2d(3, 8, 3)"


def test_a_factory_around_a_module_of_the_user_leaves_its_weights_where_they_are() -> None:
    backbone = nn.Conv2d(3, 3, 1)
    loaded = load(lambda: nn.Sequential(backbone, nn.Conv2d(3, 3, 1)))
    assert loaded.given
    assert not backbone.weight.is_meta
    assert loaded.module(torch.ones(1, 3, 2, 2)).shape == (1, 3, 2, 2)


def test_global_state_is_as_before_also_where_the_constructor_raises() -> None:
    def careless() -> nn.Module:
        torch.manual_seed(random.randrange(9))
        torch.set_default_dtype(torch.float64)
        torch.set_default_device("meta")
        torch.set_grad_enabled(False)
        raise RuntimeError("no")

    init, drawn, drawn_torch = nn.Module.__init__, random.getstate(), torch.get_rng_state()
    assert refused(careless).startswith("cannot build careless: RuntimeError: no (")
    assert nn.Module.__init__ is init
    assert random.getstate() == drawn
    assert torch.equal(torch.get_rng_state(), drawn_torch)
    assert (torch.get_default_dtype(), torch.get_default_device()) == (torch.float32, torch.device("cpu"))
    assert torch.is_grad_enabled()


def test_two_folders_may_each_have_their_own_siblings_and_changed_files_are_read_again(folder: Path) -> None:
    other = folder / "other"
    other.mkdir()
    (other / "blocks.py").write_text("from torch import nn\ndef conv(n):\n    return nn.Conv2d(n, n, 5)\n")
    (other / "mymodel.py").write_text(SOURCE)
    sizes = [vars(load(f"{path}:Net").module.helped)["kernel_size"] for path in ("mymodel.py", "other/mymodel.py")]
    assert sizes == [(3, 3), (5, 5)]
    (folder / "blocks.py").write_text("from torch import nn\ndef conv(n):\n    return nn.Conv2d(n, n, 7)\n# changed\n")
    assert vars(load("mymodel.py:Net").module.helped)["kernel_size"] == (7, 7)


def test_a_name_is_found_whatever_the_encoding_of_its_file(folder: Path) -> None:
    text = "# coding: latin-1\nfrom torch import nn\nclass Mod\xe8le(nn.Module):\n    pass\n"
    (folder / "net.py").write_bytes(text.encode("latin-1"))
    check_name("net.py", "Mod\xe8le", "net.py:Mod\xe8le")
    with pytest.raises(TargetError, match="there is no 'Modele' in it, did you mean 'Mod\xe8le'"):
        check_name("net.py", "Modele", "net.py:Modele")


def test_a_folder_without_init_may_import_relatively(folder: Path) -> None:
    for name in ("models", "models/deep"):
        (folder / name).mkdir()
    (folder / "models" / "layers.py").write_text("from torch import nn\n")
    (folder / "models" / "deep" / "net.py").write_text("from ..layers import nn\n\nclass Net(nn.Identity): ...\n")
    before = list(sys.path)
    assert type(load("models/deep/net.py:Net").module).__name__ == "Net"
    assert sys.path == before


def test_a_file_may_be_named_like_its_package(folder: Path) -> None:
    (folder / "mypkg").mkdir()
    (folder / "mypkg" / "__init__.py").write_text("from mypkg.mypkg import Net\n")
    (folder / "mypkg" / "parts.py").write_text("from torch import nn\n")
    (folder / "mypkg" / "mypkg.py").write_text("from mypkg.parts import nn\n\nclass Net(nn.Identity): ...\n")
    (folder / "mypkg" / "other.py").write_text("from mypkg.parts import nn\n\nclass Other(nn.Identity): ...\n")
    for target in ("mypkg/mypkg.py:Net", "mypkg/other.py:Other"):
        assert type(load(target).module).__name__ == target.rpartition(":")[2]


def test_a_file_of_a_package_may_import_relatively(folder: Path) -> None:
    (folder / "animals").mkdir()
    (folder / "animals" / "__init__.py").touch()
    (folder / "animals" / "layers.py").write_text("from torch import nn\nNet = nn.ReLU\n")
    (folder / "animals" / "nets.py").write_text("from .layers import Net\n")
    assert isinstance(load("animals/nets.py:Net").module, nn.ReLU)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("mymodel", "target 'mymodel' names no model; write 'mymodel:Net'"),
        (":Net", "target ':Net' names no model; write 'pkg.mod:Net' or 'path/file.py:Net'"),
        ("mymodle:Net", "there is no module 'mymodle', did you mean 'mymodel'?"),
        ("modle.py:Net", "target 'modle.py:Net': there is no file 'modle.py', did you mean 'mymodel.py'?"),
        ("my-model:Net", "target 'my-model:Net': 'my-model' is no module name and no .py file"),
        ("mymodel:Nett", "target 'mymodel:Nett': 'mymodel' has no 'Nett', did you mean 'Net'?"),
        (
            "mymodel:Unknown",
            "target 'mymodel:Unknown': 'mymodel' has no 'Unknown'; its models are Net, Rates, Needs, Parts, net",
        ),
        ("mymodel:Outer.Iner", "target 'mymodel:Outer.Iner': 'Outer' has no 'Iner', did you mean 'Inner'?"),
        ("mymodel:Outer", "Outer is a class, but no subclass of torch.nn.Module"),
        ("mymodel:CONFIG", "CONFIG is of type dict, but no torch.nn.Module, subclass of it or factory"),
        ("mymodel:number", "number returned an object of type int, but no torch.nn.Module"),
        ("mymodel:Parts", "Parts has no forward; name the method that runs with --method (method in Python)"),
        (3, "the target is of type int, but no torch.nn.Module, subclass of it or factory"),
    ],
)
def test_a_wrong_target_is_one_line_with_what_was_meant(target: object, message: str) -> None:
    assert refused(target) == message


@pytest.mark.parametrize(
    ("target", "options", "message"),
    [
        (
            "mymodel:Needs",
            {},
            MISSING,
        ),
        (
            "mymodel:Needs",
            {"init_kwargs": {"chanels": 3}},
            "cannot build Needs: TypeError: unexpected argument 'chanels', did you mean 'channels'?",
        ),
        (
            "mymodel:Needs",
            {"init_kwargs": {"channels": 3}},
            "cannot build Needs: ValueError: channels must be even (mymodel.py:33)",
        ),
        (
            "mymodel:net",
            {"init_kwargs": {"width": 3}},
            "net is a module that is built already, so --kwargs (init_kwargs) cannot reach it",
        ),
        ("mymodel:Net", {"method": "forwrd"}, "Net has no method 'forwrd', did you mean 'forward'?"),
        ("mymodel:Net", {"init_kwargs": [3]}, "init_kwargs is of type list, but no dict of arguments"),
    ],
)
def test_a_model_that_cannot_be_built_says_why(target: str, options: dict[str, object], message: str) -> None:
    assert refused(target, **options) == message


def test_a_file_with_the_name_of_an_installed_module_is_named_as_a_file(folder: Path) -> None:
    (folder / "torch.py").write_text("class Net: pass\n")
    wanted = "an installed module of that name is meant; for the file write 'torch.py:Net'"
    assert refused("torch:Net") == f"target 'torch:Net': 'torch' has no 'Net', but {wanted}"
    assert refused("torch:nn.Nothing").startswith("target 'torch:nn.Nothing': 'torch' has no 'Nothing'")


GUARD = 'write `if __name__ == "__main__":` above what is to be run'


@pytest.mark.parametrize("target", ["bad:Net", "bad.py:Net"])
@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("x = 1\ndef f(:", "cannot import {}: SyntaxError: invalid syntax (bad.py:2)"),
        ("from nowhere import *", "cannot import {}: ModuleNotFoundError: No module named 'nowhere' (bad.py:1)"),
        ("\n1 / 0", "cannot import {}: ZeroDivisionError: division by zero (bad.py:2)"),
        ("import sys; sys.exit(3)", f"importing {{}} ends the program (SystemExit: 3) (bad.py:1); {GUARD}"),
        (
            "import argparse as a\np = a.ArgumentParser()\np.add_argument('data')\np.parse_args()",
            "importing {} ends the program (argparse: the following arguments are required: data) (bad.py:4); " + GUARD,
        ),
    ],
)
def test_a_module_that_cannot_be_imported_says_why_and_where(
    folder: Path, target: str, source: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "bad.py").write_text(source)
    assert refused(target) == message.format(repr(target.partition(":")[0]))
    assert capsys.readouterr() == ("", "")


class OnTheCard(nn.Module):
    """Built for a graphics card, as its author has one."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Conv2d(3, 8, 4, 2, 1).cuda()
        self.up = nn.ConvTranspose2d(8, 3, 4, 2, 1).to("cuda:0")
        self.mean = torch.zeros(1, 3, 1, 1, device=torch.device("cuda"))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.cuda() - self.mean.to(x.device, torch.float32)
        return self.up(self.down(x)) + torch.zeros(x.shape, device="cuda")


@pytest.mark.skipif(torch.accelerator.is_available(), reason="there is a card here")
def test_a_model_for_a_card_is_checked_where_there_is_none() -> None:
    report = shapelint.check(OnTheCard, "1,3,34,20", confirm=("cpu",))
    assert report.ok
    assert report.contract.proved
    assert [each.ok for each in report.confirmations] == [True]
    assert not shapelint.check(OnTheCard, "1,3,33,20").ok


BUILT = """
from torch import nn

class Net(nn.Module):
    def __init__(self, width, kernel, norm):
        super().__init__()
        self.conv = nn.Conv2d(3, width, kernel, padding=tuple(k // 2 for k in kernel))
        self.norm = norm(width)

    def forward(self, images):
        return self.norm(self.conv(images))
"""


def test_a_model_is_built_by_a_call_that_json_cannot_write(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "built.py").write_text(BUILT)
    monkeypatch.chdir(folder)
    call = "Net(8, (3, 5), norm=nn.BatchNorm2d)"
    for target in ("built.py:Net", load("built.py:Net", build=call).module.__class__):
        report = shapelint.check(target, build=call, expect="1,8,H,W")
        assert (report.ok, report.inputs, report.comment) == (True, ("1,3,H,W",), "")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("Net(8, (3, 5)", r"build 'Net\(8, \(3, 5\)' is no expression of Python .*; write Net\(...\)"),
        ("Net(8)", "cannot build Net: TypeError: .* missing 2 required positional arguments: 'kernel' and 'norm'"),
        ("nowhere", "cannot build Net: NameError: name 'nowhere' is not defined"),
        ("3", "Net returned an object of type int, but no torch.nn.Module"),
    ],
)
def test_a_call_that_builds_nothing_is_told_in_one_line(
    folder: Path, call: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "built.py").write_text(BUILT)
    monkeypatch.chdir(folder)
    with pytest.raises(TargetError, match=message):
        load("built.py:Net", build=call)


def test_indices_that_are_written_into_an_empty_buffer_keep_their_numbers() -> None:
    class Table(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rows = nn.Parameter(torch.empty(500, 8))
            self.register_buffer("index", torch.empty(20, 20, device=None, dtype=torch.long), persistent=False)
            self.index.copy_(torch.arange(400).view(20, 20))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + self.rows[self.index.view(-1)].sum()

    loaded = load(Table)
    assert loaded.module.index[19, 19] == 399
    assert loaded.module.rows.is_meta
    assert shapelint.check(Table, "1,3,H,W").contract.proved
