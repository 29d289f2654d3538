"""Networks of monai.networks.nets, in two and three dimensions."""

from __future__ import annotations

import torch
from monai.networks import nets
from monai.networks.nets.dints import TopologyInstance
from monai.networks.nets.hovernet import HoVerNet
from monai.networks.nets.restormer import Restormer

from benchmarks.packages.entry import Entry

PLANE, VOLUME = "1,1,H,W", "1,1,D,H,W"
SMALL = 40  # the largest size along an axis of a volume
_STEPS = {"strides": (2, 2), "channels": (4, 8, 16)}
_HALVED = {"strides": (2, 2), "channels": (4, 8)}
_DYNAMIC = {"kernel_size": (3, 3, 3), "strides": (1, 2, 2), "upsample_kernel_size": (2, 2), "filters": (4, 8, 16)}
_FEATURES = (4, 4, 8, 8, 16, 4)
_DIFFUSION = {"num_res_blocks": 1, "channels": (8, 8, 16), "attention_levels": (False, False, True),
              "norm_num_groups": 4, "num_head_channels": 4}  # fmt: skip
_LATENT = {"num_res_blocks": 1, "channels": (8, 8, 16), "attention_levels": (False, False, True), "norm_num_groups": 4}
_TRANSFORMER = {"hidden_size": 12, "mlp_dim": 24, "num_heads": 2}
_SWIN = {"depths": (2, 1, 1, 1), "num_heads": (1, 1, 2, 2), "feature_size": 12}
_WIDTHS = {"decoder_channels": (16, 8, 8, 4, 4)}
_RESIDUAL = {"block": "basic", "layers": [1, 1, 1, 1], "block_inplanes": [4, 8, 8, 16], "num_classes": 3}
_SQUEEZE = {"layers": (1, 1, 1, 1), "groups": 1, "reduction": 16, "inplanes": 16, "num_classes": 3}


def _dints(dimensions: int) -> torch.nn.Module:
    space = TopologyInstance(channel_mul=0.25, num_blocks=4, num_depths=3, spatial_dims=dimensions)
    return nets.DiNTS(space, 1, 2, spatial_dims=dimensions, use_downsample=True)


AUTOENCODERS = (
    Entry("monai AutoEncoder 2d", lambda: nets.AutoEncoder(2, 1, 1, **_HALVED), PLANE),
    Entry("monai AutoEncoder 2d odd", lambda: nets.AutoEncoder(2, 1, 1, (4, 8, 8), (2, 3, 2), kernel_size=5), PLANE),
    Entry("monai AutoEncoder 3d", lambda: nets.AutoEncoder(3, 1, 1, num_res_units=2, **_HALVED), VOLUME, largest=SMALL),
    Entry("monai VarAutoEncoder", lambda: nets.VarAutoEncoder(2, (1, 32, 32), 1, 4, **_HALVED), PLANE, largest=64),
    Entry("monai VQVAE 2d", lambda: nets.VQVAE(2, 1, 1, (4, 8, 8), 1, (4, 8, 8)), PLANE),
    Entry("monai VQVAE 3d", lambda: nets.VQVAE(3, 1, 1, (4, 8, 8), 1, (4, 8, 8)), VOLUME, largest=SMALL),
    Entry("monai AutoencoderKL 2d", lambda: nets.AutoencoderKL(2, **_LATENT), PLANE, largest=64),
    Entry("monai AutoencoderKL 3d", lambda: nets.AutoencoderKL(3, **_LATENT), VOLUME, largest=24),
    Entry("monai SPADEAutoencoderKL", lambda: nets.SPADEAutoencoderKL(2, 3, **_LATENT), [PLANE, "1,3,H,W"], largest=64),
    Entry("monai ViTAutoEnc", lambda: nets.ViTAutoEnc(1, (32, 32), 16, num_layers=1, spatial_dims=2, **_TRANSFORMER),
          PLANE, largest=64),
)  # fmt: skip

UNETS = (
    Entry("monai UNet 2d", lambda: nets.UNet(2, 1, 2, (4, 8, 16, 32), (2, 2, 2), num_res_units=1), PLANE),
    Entry("monai UNet 3d", lambda: nets.UNet(3, 1, 2, **_STEPS), VOLUME, largest=SMALL),
    Entry("monai BasicUNet 2d", lambda: nets.BasicUNet(2, 1, 2, _FEATURES), PLANE),
    Entry("monai BasicUNet 3d", lambda: nets.BasicUNet(3, 1, 2, _FEATURES, upsample="nontrainable"), VOLUME,
          largest=SMALL),
    Entry("monai BasicUNetPlusPlus 2d", lambda: nets.BasicUNetPlusPlus(2, 1, 2, _FEATURES), PLANE),
    Entry("monai BasicUNetPlusPlus 3d", lambda: nets.BasicUNetPlusPlus(3, 1, 2, _FEATURES), VOLUME, largest=SMALL),
    Entry("monai DynUNet 2d", lambda: nets.DynUNet(2, 1, 2, **_DYNAMIC), PLANE),
    Entry("monai DynUNet 3d", lambda: nets.DynUNet(3, 1, 2, res_block=True, **_DYNAMIC), VOLUME, largest=SMALL),
    Entry("monai AttentionUnet 2d", lambda: nets.AttentionUnet(2, 1, 2, **_STEPS), PLANE),
    Entry("monai AttentionUnet 3d", lambda: nets.AttentionUnet(3, 1, 2, **_STEPS), VOLUME, largest=SMALL),
    Entry("monai FlexibleUNet 2d", lambda: nets.FlexibleUNet(1, 2, "resnet10", **_WIDTHS), PLANE),
    Entry("monai FlexibleUNet 2d no pad", lambda: nets.FlexibleUNet(1, 2, "resnet10", is_pad=False, **_WIDTHS), PLANE),
    Entry("monai FlexibleUNet efficientnet", lambda: nets.FlexibleUNet(3, 2, "efficientnet-b0", **_WIDTHS), "1,3,H,W"),
    Entry("monai VoxelMorphUNet 2d", lambda: nets.VoxelMorphUNet(2, 2, 4, (4, 8, 8, 8), (4, 4)), "1,2,H,W"),
    Entry("monai VoxelMorphUNet 3d", lambda: nets.VoxelMorphUNet(3, 2, 4, (4, 8, 8, 8), (4, 4)), "1,2,D,H,W",
          largest=SMALL),
    Entry("monai VNet 2d", lambda: nets.VNet(2, 1, 2), PLANE, largest=64),
    Entry("monai VNet 3d", lambda: nets.VNet(3, 1, 2), VOLUME, largest=17),
    Entry("monai AHNet 2d", lambda: nets.AHNet((1, 1, 1, 1), 2, psp_block_num=2), PLANE),
    Entry("monai AHNet 3d", lambda: nets.AHNet((1, 1, 1, 1), 3, psp_block_num=0, upsample_mode="trilinear"), VOLUME,
          largest=33),
    Entry("monai RegUNet 2d", lambda: nets.RegUNet(2, 1, 4, 2, out_channels=2), PLANE),
    Entry("monai RegUNet 3d", lambda: nets.RegUNet(3, 1, 4, 2, pooling=False, concat_skip=True), VOLUME, largest=SMALL),
    Entry("monai LocalNet 2d", lambda: nets.LocalNet(2, 1, 4, (0, 1, 2), out_channels=2), PLANE),
    Entry("monai LocalNet 3d", lambda: nets.LocalNet(3, 1, 4, (0, 1, 2)), VOLUME, largest=SMALL),
    Entry("monai GlobalNet 2d", lambda: nets.GlobalNet([32, 32], 2, 1, 4, 2), PLANE, largest=64),
    Entry("monai DiNTS 2d", lambda: _dints(2), PLANE),
    Entry("monai DiNTS 3d", lambda: _dints(3), VOLUME, largest=SMALL),
    Entry("monai QuickNAT", lambda: nets.Quicknat(num_classes=3, num_filters=4), PLANE),
    Entry("monai HoVerNet", lambda: HoVerNet(out_classes=3), "1,3,H,W", largest=256),
)  # fmt: skip

RESIDUAL = (
    Entry("monai SegResNet 2d", lambda: nets.SegResNet(2, blocks_down=(1, 1, 1), blocks_up=(1, 1)), PLANE),
    Entry("monai SegResNet 3d", lambda: nets.SegResNet(3, upsample_mode="deconv"), VOLUME, largest=SMALL),
    Entry("monai SegResNetDS 2d", lambda: nets.SegResNetDS(2, 4, blocks_down=(1, 1, 1), dsdepth=2), PLANE),
    Entry("monai SegResNetDS 3d", lambda: nets.SegResNetDS(3, 4, blocks_down=(1, 1, 1)), VOLUME, largest=SMALL),
    Entry("monai SegResNetDS2", lambda: nets.SegResNetDS2(2, 4, blocks_down=(1, 1, 1)), PLANE),
    Entry("monai SegResNetVAE", lambda: nets.SegResNetVAE((32, 32), vae_nz=8, spatial_dims=2), PLANE, largest=64),
    Entry("monai HighResNet 2d", lambda: nets.HighResNet(2, 1, 2), PLANE, largest=48),
    Entry("monai HighResNet 3d", lambda: nets.HighResNet(3, 1, 2), VOLUME, largest=12),
    Entry("monai MedNeXt 2d", lambda: nets.MedNeXt(2, 4, kernel_size=3, use_residual_connection=True), PLANE),
    Entry("monai MedNeXt 3d", lambda: nets.MedNeXt(3, 4, kernel_size=3, deep_supervision=True), VOLUME, largest=SMALL),
    Entry("monai ResNet 2d", lambda: nets.ResNet(spatial_dims=2, n_input_channels=1, **_RESIDUAL), PLANE),
    Entry("monai ResNet 3d", lambda: nets.ResNet(spatial_dims=3, n_input_channels=1, **_RESIDUAL), VOLUME,
          largest=SMALL),
    Entry("monai SENet 2d", lambda: nets.SENet(2, 1, "se_resnet_bottleneck", **_SQUEEZE), PLANE, largest=64),
    Entry("monai DenseNet 2d", lambda: nets.DenseNet(2, 1, 3, 8, 4, (2, 2, 2)), PLANE),
    Entry("monai DenseNet 3d", lambda: nets.DenseNet(3, 1, 3, 8, 4, (2, 2, 2)), VOLUME, largest=SMALL),
    Entry("monai EfficientNetBN 2d", lambda: nets.EfficientNetBN("efficientnet-b0", pretrained=False), "1,3,H,W"),
    Entry("monai EfficientNetBN 3d", lambda: nets.EfficientNetBN("efficientnet-b0", False, spatial_dims=3,
                                                                in_channels=1), VOLUME, largest=33),
    Entry("monai EfficientNetBNFeatures", lambda: nets.EfficientNetBNFeatures("efficientnet-b0", pretrained=False),
          "1,3,H,W"),
    Entry("monai MILModel", lambda: nets.MILModel(2, "att", False), "1,2,3,H,W", largest=64),
)  # fmt: skip

TRANSFORMERS = (
    Entry("monai UNETR 2d", lambda: nets.UNETR(1, 2, (32, 48), 4, spatial_dims=2, **_TRANSFORMER), PLANE, largest=64),
    Entry("monai UNETR 3d", lambda: nets.UNETR(1, 2, 32, 4, **_TRANSFORMER), VOLUME, largest=33),
    Entry("monai SwinUNETR 2d", lambda: nets.SwinUNETR(1, 2, spatial_dims=2, **_SWIN), PLANE),
    Entry("monai SwinUNETR 3d", lambda: nets.SwinUNETR(1, 2, use_v2=True, **_SWIN), VOLUME, largest=33),
    Entry("monai ViT 2d", lambda: nets.ViT(1, (32, 32), 16, num_layers=2, spatial_dims=2, **_TRANSFORMER), PLANE,
          largest=64),
    Entry("monai ViT 3d", lambda: nets.ViT(1, 32, 16, num_layers=2, proj_type="perceptron", **_TRANSFORMER), VOLUME,
          largest=33),
    Entry("monai Restormer 2d", lambda: Restormer(2, 1, 1, dim=4, num_refinement_blocks=1), PLANE, largest=64),
    Entry("monai Restormer 3d", lambda: Restormer(3, 1, 1, dim=4, num_refinement_blocks=1), VOLUME, largest=24),
)  # fmt: skip

GENERATIVE = (
    Entry("monai DiffusionModelUNet 2d", lambda: nets.DiffusionModelUNet(2, 1, 1, **_DIFFUSION), [PLANE, "1:int64"],
          largest=64),
    Entry("monai DiffusionModelUNet 3d", lambda: nets.DiffusionModelUNet(3, 1, 1, **_DIFFUSION), [VOLUME, "1:int64"],
          largest=24),
    Entry("monai DiffusionModelUNet context", lambda: nets.DiffusionModelUNet(
        2, 1, 1, with_conditioning=True, cross_attention_dim=8, resblock_updown=True, **_DIFFUSION),
        [PLANE, "1:int64"], {"context": "1,5,8"}, largest=64),
    Entry("monai ControlNet", lambda: nets.ControlNet(2, 1, conditioning_embedding_num_channels=(8, 8), **_DIFFUSION),
          [PLANE, "1:int64", "1,1,2*H,2*W"], largest=64),
    Entry("monai SPADEDiffusionModelUNet", lambda: nets.SPADEDiffusionModelUNet(2, 1, 1, 3, **_DIFFUSION),
          [PLANE, "1:int64", "1,3,H,W"], largest=64),
    Entry("monai SPADENet", lambda: nets.SPADENet(2, 1, 1, 3, [32, 32], [8, 8, 8], is_vae=True, z_dim=4),
          ["1,3,H,W", PLANE], largest=64),
    Entry("monai PatchDiscriminator 2d", lambda: nets.PatchDiscriminator(2, 4, 1), PLANE),
    Entry("monai PatchDiscriminator 3d", lambda: nets.PatchDiscriminator(3, 4, 1, num_layers_d=2), VOLUME,
          largest=SMALL),
    Entry("monai MultiScalePatchDiscriminator", lambda: nets.MultiScalePatchDiscriminator(2, 2, 2, 4, 1,
                                                                                        minimum_size_im=64), PLANE),
    Entry("monai Discriminator", lambda: nets.Discriminator((1, 32, 32), (4, 8), (2, 2)), PLANE, largest=64),
    Entry("monai Regressor", lambda: nets.Regressor((1, 32, 32), (2, 2), (4, 8), (2, 2)), PLANE, largest=64),
)  # fmt: skip

ENTRIES = (*AUTOENCODERS, *UNETS, *RESIDUAL, *TRANSFORMERS, *GENERATIVE)
