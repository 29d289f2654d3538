"""Families of timm, made small; classifiers, feature extractors and transformers whose size may change or may not."""

from __future__ import annotations

from typing import Any

import timm
from timm import models
from timm.models.metaformer import Pooling
from torch import nn

from benchmarks.packages.entry import Entry

IMAGE = "1,3,H,W"
_SMALL: dict[str, Any] = {"num_classes": 4}
_TOKENS: dict[str, Any] = {"embed_dim": 16, "depth": 2, "num_heads": 2, "img_size": 64, **_SMALL}
_STAGES: dict[str, Any] = {"depths": (1, 1, 1, 1), "dims": (8, 8, 16, 16), **_SMALL}


def _entry(name: str, model: str = "", largest: int = 96, method: str | None = None, **options: Any) -> Entry:
    def build() -> nn.Module:
        return timm.create_model(model or name, **options)

    return Entry(f"timm {name}", build, IMAGE, largest=largest, method=method)


CONVOLUTIONAL = (
    _entry("resnet10t", **_SMALL),
    _entry("resnet18 stride 8", "resnet18", output_stride=8, features_only=True),
    _entry("resnetv2_18", **_SMALL),
    _entry("resnext tiny", "resnext26ts", **_SMALL),
    _entry("convnext_atto", **_STAGES),
    _entry("convnext_atto features", "convnext_atto", features_only=True, depths=(1, 1, 1, 1), dims=(8, 8, 16, 16)),
    _entry("convnextv2_atto", **_STAGES),
    _entry("efficientnet_b0", **_SMALL),
    _entry("tf_efficientnet_b0 same padding", "tf_efficientnet_b0", features_only=True),
    _entry("mobilenetv3_small_050", **_SMALL),
    _entry("mobilenetv3_small_050 features", "mobilenetv3_small_050", features_only=True),
    _entry("mobilenetv4_conv_small_035", **_SMALL),
    _entry("regnetx_002", **_SMALL),
    _entry("regnety_002 features", "regnety_002", features_only=True, out_indices=(0, 2, 4)),
    _entry("densenet", "densenet121", growth_rate=4, block_config=(2, 2, 2, 2), **_SMALL),
    _entry("hrnet_w18_small", largest=64, **_SMALL),
    _entry("hrnet_w18_small features", "hrnet_w18_small", largest=64, features_only=True),
    _entry("inception_v3", largest=128, **_SMALL),
    _entry("xception41", largest=64, **_SMALL),
    _entry("nfnet", "nfnet_l0", largest=64, **_SMALL),
    _entry("dla46x_c", **_SMALL),
    _entry("vovnet", "ese_vovnet19b_slim", **_SMALL),
    _entry("repvgg_a0", largest=64, **_SMALL),
    _entry("ghostnet_050", **_SMALL),
    _entry("mnasnet_small", **_SMALL),
    _entry("res2net50_14w_8s", largest=64, **_SMALL),
    _entry("resnest14d", largest=64, **_SMALL),
    _entry("cspdarknet53 features", "cspdarknet53", largest=64, features_only=True),
    _entry("edgenext_xx_small", **_SMALL),
    _entry("starnet_s1", **_SMALL),
    _entry("fasternet_t0", **_SMALL),
    _entry("mobileone_s0", largest=64, **_SMALL),
    _entry("hgnetv2_b0", **_SMALL),
    _entry("selecsls42", largest=64, **_SMALL),
    _entry("tresnet_m", largest=64, **_SMALL),
    _entry("rexnet_100", **_SMALL),
    _entry("semnasnet_075", **_SMALL),
)

TRANSFORMERS = (
    _entry("vit pinned", "vit_tiny_patch16_224", **_TOKENS),
    _entry("vit dynamic", "vit_tiny_patch16_224", dynamic_img_size=True, **_TOKENS),
    _entry("vit dynamic padded", "vit_tiny_patch16_224", dynamic_img_size=True, dynamic_img_pad=True, **_TOKENS),
    _entry("vit features", "vit_tiny_patch16_224", dynamic_img_size=True, features_only=True, embed_dim=16, depth=2,
           num_heads=2, img_size=64, out_indices=(0, 1)),
    _entry("deit", "deit_tiny_distilled_patch16_224", dynamic_img_size=True, **_TOKENS),
    _entry("eva02", "eva02_tiny_patch14_224", dynamic_img_size=True, **{**_TOKENS, "img_size": 56}),
    _entry("cait", "cait_xxs24_224", **_TOKENS),
    _entry("swin", "swin_tiny_patch4_window7_224", embed_dim=8, depths=(2, 1), num_heads=(1, 2), img_size=56, **_SMALL),
    _entry("swin not strict", "swin_tiny_patch4_window7_224", embed_dim=8, depths=(2, 1), num_heads=(1, 2),
           img_size=56, strict_img_size=False, features_only=True, out_indices=(0, 1)),
    _entry("swinv2", "swinv2_tiny_window8_256", embed_dim=8, depths=(2, 1), num_heads=(1, 2), img_size=64,
           strict_img_size=False, **_SMALL),
    _entry("maxvit", "maxvit_rmlp_pico_rw_256", largest=64, img_size=64, embed_dim=(32, 32, 32, 32),
           depths=(1, 1, 1, 1), stem_width=8, **_SMALL),
    _entry("coatnet", "coatnet_pico_rw_224", largest=64, img_size=64, **_SMALL),
    _entry("pvt_v2", "pvt_v2_b0", depths=(1, 1, 1, 1), embed_dims=(8, 8, 16, 16), num_heads=(1, 1, 2, 2), **_SMALL),
    _entry("pvt_v2 features", "pvt_v2_b0", features_only=True),
    _entry("twins", "twins_svt_small", largest=64, embed_dims=(8, 8, 16, 16), depths=(2, 2, 2, 2), **_SMALL),
    _entry("mobilevit_xxs", **_SMALL),
    _entry("mobilevitv2_050", **_SMALL),
    _entry("davit", "davit_tiny", embed_dims=(8, 8, 16, 16), num_heads=(1, 1, 2, 2), depths=(1, 1, 1, 1), **_SMALL),
    _entry("xcit", "xcit_nano_12_p16_224", embed_dim=16, depth=2, num_heads=2, **_SMALL),
    _entry("crossvit_9_240", **_SMALL),
    _entry("visformer_tiny", largest=64, img_size=64, **_SMALL),
    _entry("tiny_vit_5m_224", **_SMALL),
    _entry("fastvit_t8", largest=64, **_SMALL),
    _entry("efficientvit_b0", **_SMALL),
    _entry("hiera", "hiera_tiny_224", img_size=(64, 64), embed_dim=8, stages=(1, 1, 1, 1), **_SMALL),
    _entry("mvitv2", "mvitv2_tiny", largest=64, img_size=64, **_SMALL),
)  # fmt: skip

CLASSES = tuple(
    Entry(f"timm {name}", build, IMAGE, largest=96)
    for name, build in {
        "mixer": lambda: models.MlpMixer(img_size=64, patch_size=16, num_blocks=2, embed_dim=16, **_SMALL),
        "convmixer": lambda: models.ConvMixer(16, 2, kernel_size=5, **_SMALL),
        "poolformer": lambda: models.MetaFormer(depths=(1, 1), dims=(8, 16), token_mixers=Pooling, **_SMALL),
        "focalnet": lambda: models.FocalNet(embed_dim=8, depths=(1, 1, 1, 1), **_SMALL),
        "nest": lambda: models.Nest(64, num_levels=2, embed_dims=(8, 16), num_heads=(1, 2), depths=(1, 1), **_SMALL),
        "volo": lambda: models.VOLO((1, 1, 1, 1), 64, embed_dims=(16, 16, 16, 16), num_heads=(2, 2, 2, 2), **_SMALL),
        "levit": lambda: models.Levit(64, embed_dim=(16,) * 3, key_dim=8, depth=(1,) * 3, num_heads=(2,) * 3, **_SMALL),
        "efficientformerv2": lambda: models.EfficientFormerV2((1,) * 4, 3, 64, embed_dims=(8, 8, 16, 16), **_SMALL),
    }.items()
)

ENTRIES = (*CONVOLUTIONAL, *TRANSFORMERS, *CLASSES)
