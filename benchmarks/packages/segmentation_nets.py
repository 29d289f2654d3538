"""Every decoder of segmentation_models_pytorch on four encoders: residual, mobile, transformer and one of timm."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import segmentation_models_pytorch as smp
from torch import nn

from benchmarks.packages.entry import Entry

ENCODERS = ("resnet18", "mobilenet_v2", "mit_b0", "tu-mobilenetv3_small_050")
_NARROW = {"decoder_channels": (32, 16, 16, 8, 8)}

DECODERS: Mapping[type[nn.Module], Mapping[str, Any]] = {
    smp.Unet: _NARROW,
    smp.UnetPlusPlus: _NARROW,
    smp.MAnet: {**_NARROW, "decoder_pab_channels": 8},
    smp.Linknet: {},
    smp.FPN: {"decoder_pyramid_channels": 32, "decoder_segmentation_channels": 32},
    smp.PSPNet: {"psp_out_channels": 16},
    smp.PAN: {"decoder_channels": 8},
    smp.DeepLabV3: {"decoder_channels": 8},
    smp.DeepLabV3Plus: {"decoder_channels": 8},
    smp.UPerNet: {"decoder_channels": 16},
    smp.Segformer: {"decoder_segmentation_channels": 16},
}
REFUSED = {(smp.UnetPlusPlus, "mit_b0"), (smp.Linknet, "mit_b0")}
"""Pairs that the package refuses to build."""


def _builder(decoder: type[nn.Module], encoder: str, options: Mapping[str, Any]) -> Callable[[], nn.Module]:
    return lambda: decoder(encoder_name=encoder, encoder_weights=None, classes=2, **options)


def _variant(name: str, decoder: type[nn.Module], encoder: str, **options: Any) -> Entry:
    return Entry(f"smp {name}", _builder(decoder, encoder, options), "1,3,H,W")


VARIANTS = (
    _variant("Unet depth 3 attention", smp.Unet, "resnet18", encoder_depth=3, decoder_channels=(32, 16, 16),
             decoder_attention_type="scse", decoder_interpolation="bilinear"),
    _variant("Unet efficientnet", smp.Unet, "efficientnet-b0", **_NARROW),
    _variant("Unet convnext", smp.Unet, "tu-convnext_atto", encoder_depth=4, decoder_channels=(16, 16, 8, 8)),
    _variant("FPN cat vgg11", smp.FPN, "vgg11", decoder_merge_policy="cat", decoder_pyramid_channels=32,
             decoder_segmentation_channels=32),
    _variant("PSPNet depth 4", smp.PSPNet, "resnet18", encoder_depth=4, psp_out_channels=16, upsampling=16),
    _variant("DeepLabV3Plus stride 8", smp.DeepLabV3Plus, "resnet18", encoder_output_stride=8, decoder_channels=8),
    _variant("Unet class head", smp.Unet, "timm-mobilenetv3_small_minimal_100", aux_params={"classes": 3}, **_NARROW),
    *(_variant(f"DPT {encoder}", smp.DPT, encoder, decoder_intermediate_channels=(8, 8, 16, 16),
               decoder_fusion_channels=8, dynamic_img_size=dynamic)
      for encoder, dynamic in (("tu-vit_tiny_patch16_224", True), ("tu-deit_tiny_patch16_224", True),
                               ("tu-vit_tiny_r_s16_p8_224", True), ("tu-flexivit_small", False))),
)  # fmt: skip

ENTRIES = (
    *(
        Entry(f"smp {decoder.__name__} {encoder}", _builder(decoder, encoder, options), "1,3,H,W")
        for decoder, options in DECODERS.items()
        for encoder in ENCODERS
        if (decoder, encoder) not in REFUSED
    ),
    *VARIANTS,
)
