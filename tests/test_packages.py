"""A part of the networks of real packages: their contracts agree with eager PyTorch (all: `benchmarks.packages`)."""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle

import pytest
from torch import nn

from benchmarks.packages.compare import compare
from benchmarks.packages.entry import Entry
from benchmarks.packages.ratios import ratios, summary

CHECKS = 15
CHOSEN = (
    "smp Unet tu-mobilenetv3_small_050",
    "smp UnetPlusPlus tu-mobilenetv3_small_050",
    "smp Linknet mobilenet_v2",
    "smp PSPNet mit_b0",
    "smp DeepLabV3Plus mobilenet_v2",
    "smp Segformer resnet18",
    "smp DPT tu-vit_tiny_patch16_224",
    "monai AutoEncoder 2d odd",
    "monai UNet 3d",
    "monai DynUNet 2d",
    "monai SegResNet 3d",
    "monai SegResNetVAE",
    "monai QuickNAT",
    "monai UNETR 2d",
    "monai DiffusionModelUNet context",
    "monai PatchDiscriminator 3d",
    "diffusers ControlNetModel",
    "diffusers UNet1DModel",
    "diffusers AutoencoderTiny",
    "diffusers AutoencoderDC",
    "diffusers UVit2DModel",
    "timm resnet10t",
    "timm convnext_atto features",
    "timm tf_efficientnet_b0 same padding",
    "timm vit dynamic padded",
    "timm swin not strict",
)


def test_what_a_check_costs_is_told_beside_a_run_and_an_export(network: Callable[[str], Entry]) -> None:
    found = [each for each in map(ratios, map(network, ("diffusers AutoencoderTiny", "timm resnet10t"))) if each]
    assert [each.export is not None for each in found] == [True, True]
    assert "(2 of 2 networks)" in summary(found)


@pytest.mark.parametrize("name", CHOSEN)
def test_a_network_of_a_package_does_as_its_contract_says(name: str, network: Callable[[str], Entry]) -> None:
    comparison = compare(network(name), CHECKS)
    assert comparison.how in ("proved", "sampled"), comparison.words
    assert comparison.checks == CHECKS
    assert comparison.wrong == ()


def test_a_network_that_does_otherwise_is_told() -> None:
    networks = cycle((nn.Conv2d(1, 1, 3), nn.Conv2d(1, 1, 3, padding=1)))
    comparison = compare(Entry("fickle", lambda: next(networks), "1,1,H,W"), checks=1)
    assert comparison.how == "proved"
    assert len(comparison.wrong) == 1
