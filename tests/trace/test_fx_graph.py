"""A recorded run as a torch.fx.Graph: the calls in order, with symbolic shapes, module paths and source lines."""

from __future__ import annotations

import torch
from torch import nn

from shapelint import ops  # noqa: F401  (registers the size rules)
from shapelint.request.inputs import parse_inputs
from shapelint.request.question import question
from shapelint.trace.freeze import fx_graph
from shapelint.trace.meta_state import MetaState
from shapelint.trace.run import Subject, run_once


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Conv2d(3, 4, 3, stride=2, padding=1)
        self.up = nn.ConvTranspose2d(4, 3, 2, stride=2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        first, second = torch.chunk(self.up(self.down(x)), 2, dim=1)
        return torch.cat([second, first], dim=1)


def test_the_graph_holds_every_call_with_its_symbolic_shape_and_place() -> None:
    net = Net().eval()
    asked = question(parse_inputs("1,3,H,W"), {})
    names = {id(part): name for name, part in net.named_modules()}
    subject = Subject(net, net, asked.inputs, asked.symbols, names, MetaState(net, train=False))
    graph = fx_graph(run_once(subject, asked.first, symbolic=True))
    graph.lint()
    calls = [node for node in graph.nodes if "shapes" in node.meta]
    assert [node.op for node in calls] == ["placeholder", *["call_function"] * 4]
    assert [node.meta["module"] for node in calls] == ["", "down", "up", "", ""]
    assert [str(node.meta["shapes"][0]) for node in calls[:3]] == [
        "(1, 3, H, W)",
        "(1, 4, (H + 1)//2, (W + 1)//2)",
        "(1, 3, 2*((H + 1)//2), 2*((W + 1)//2))",
    ]
    assert calls[1] in calls[2].all_input_nodes
    assert calls[1].meta["place"].text().strip().startswith("first, second = torch.chunk(self.up(self.down(x))")
