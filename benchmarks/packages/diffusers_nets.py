"""UNets, autoencoders, video autoencoders and transformers of diffusers."""

from __future__ import annotations

from typing import Any

import diffusers
from torch import nn

from benchmarks.packages.entry import Entry

IMAGE, VIDEO, TIME = "1,3,H,W", "1,3,5,H,W", "1:int64"
TEXT = "1,5,8"
_WIDTHS: dict[str, Any] = {"block_out_channels": (8, 16), "norm_num_groups": 4, "layers_per_block": 1}
_CONDITION: dict[str, Any] = {"cross_attention_dim": 8, "attention_head_dim": 4}
_CROSSED: dict[str, Any] = {"down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
                            "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D")}  # fmt: skip
_CODED: dict[str, Any] = {"down_block_types": ("DownEncoderBlock2D",) * 3, "up_block_types": ("UpDecoderBlock2D",) * 3,
                          "block_out_channels": (8, 8, 16), "norm_num_groups": 4}  # fmt: skip
_FRAMES: dict[str, Any] = {"block_out_channels": (8, 8, 16, 16), "norm_num_groups": 4, "layers_per_block": 1,
                           "latent_channels": 4}  # fmt: skip
_HEADS: dict[str, Any] = {"num_attention_heads": 2, "attention_head_dim": 8, "num_layers": 2}


def _unet(**options: Any) -> nn.Module:
    return diffusers.UNet2DModel(
        down_block_types=("DownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=4,
        **{**_WIDTHS, **options},
    )


def _temporal() -> nn.Module:
    return diffusers.UNet1DModel(
        in_channels=4,
        out_channels=4,
        down_block_types=("DownResnetBlock1D", "DownResnetBlock1D", "DownResnetBlock1D"),
        up_block_types=("UpResnetBlock1D", "UpResnetBlock1D"),
        mid_block_type="MidResTemporalBlock1D",
        out_block_type="OutConv1DBlock",
        block_out_channels=(32, 32, 32),
        time_embedding_type="positional",
        use_timestep_embedding=True,
        flip_sin_to_cos=False,
        act_fn="swish",
    )


def _unet3d() -> nn.Module:
    down, up = ("CrossAttnDownBlock3D", "DownBlock3D"), ("UpBlock3D", "CrossAttnUpBlock3D")
    return diffusers.UNet3DConditionModel(down_block_types=down, up_block_types=up, **_WIDTHS, **_CONDITION)


def _asymmetric() -> nn.Module:
    return diffusers.AsymmetricAutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 2,
        down_block_out_channels=(8, 8),
        up_block_types=("UpDecoderBlock2D",) * 2,
        up_block_out_channels=(8, 16),
        norm_num_groups=4,
    )


def _consistency() -> nn.Module:
    return diffusers.ConsistencyDecoderVAE(
        encoder_block_out_channels=(8, 8, 8, 8),
        encoder_layers_per_block=1,
        encoder_norm_num_groups=4,
        decoder_block_out_channels=(32, 32, 32, 32),
        decoder_layers_per_block=1,
    )


def _cascade() -> nn.Module:
    return diffusers.StableCascadeUNet(
        in_channels=4,
        out_channels=4,
        conditioning_dim=16,
        block_out_channels=(8, 16),
        num_attention_heads=(2, 2),
        down_num_layers_per_block=(1, 1),
        up_num_layers_per_block=(1, 1),
        clip_text_pooled_in_channels=8,
        timestep_ratio_embedding_dim=8,
    )


def _motion() -> nn.Module:
    return diffusers.UNetMotionModel(
        down_block_types=("CrossAttnDownBlockMotion", "DownBlockMotion"),
        up_block_types=("UpBlockMotion", "CrossAttnUpBlockMotion"),
        num_attention_heads=2,
        motion_num_attention_heads=2,
        cross_attention_dim=8,
        **_WIDTHS,
    )


def _stable_video() -> nn.Module:
    return diffusers.UNetSpatioTemporalConditionModel(
        in_channels=4,
        down_block_types=("CrossAttnDownBlockSpatioTemporal", "DownBlockSpatioTemporal"),
        up_block_types=("UpBlockSpatioTemporal", "CrossAttnUpBlockSpatioTemporal"),
        block_out_channels=(32, 32),
        num_attention_heads=(2, 2),
        cross_attention_dim=8,
        layers_per_block=1,
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=24,
    )


def _deep_compression() -> nn.Module:
    return diffusers.AutoencoderDC(
        latent_channels=4,
        attention_head_dim=4,
        encoder_block_types=("ResBlock", "ResBlock", "EfficientViTBlock"),
        decoder_block_types=("ResBlock", "ResBlock", "EfficientViTBlock"),
        encoder_block_out_channels=(8, 8, 16),
        decoder_block_out_channels=(8, 8, 16),
        encoder_layers_per_block=(1, 1, 1),
        decoder_layers_per_block=(1, 1, 1),
        encoder_qkv_multiscales=((), (), (5,)),
        decoder_qkv_multiscales=((), (), (5,)),
    )


def _ltx() -> nn.Module:
    return diffusers.AutoencoderKLLTXVideo(
        latent_channels=8,
        block_out_channels=(8, 8, 8, 8),
        decoder_block_out_channels=(8, 8, 8, 8),
        layers_per_block=(1, 1, 1, 1, 1),
        decoder_layers_per_block=(1, 1, 1, 1, 1),
    )


def _mochi() -> nn.Module:
    return diffusers.AutoencoderKLMochi(
        encoder_block_out_channels=(32, 32, 32, 32),
        decoder_block_out_channels=(32, 32, 32, 32),
        layers_per_block=(1, 1, 1, 1, 1),
    )


def _kandinsky() -> nn.Module:
    return diffusers.Kandinsky3UNet(
        time_embedding_dim=16,
        groups=4,
        attention_head_dim=4,
        layers_per_block=3,
        block_out_channels=(8, 16),
        cross_attention_dim=8,
        encoder_hid_dim=8,
    )


UNETS = (
    Entry("diffusers UNet2DModel", _unet, [IMAGE, TIME], largest=64),
    Entry("diffusers UNet2DModel resnet", lambda: _unet(downsample_type="resnet", upsample_type="resnet"),
          [IMAGE, 7], largest=64),
    Entry("diffusers UNet2DModel padding 0", lambda: _unet(downsample_padding=0), [IMAGE, TIME], largest=64),
    Entry("diffusers UNet2DConditionModel",
          lambda: diffusers.UNet2DConditionModel(**_CROSSED, **_CONDITION, **_WIDTHS), ["1,4,H,W", TIME, TEXT],
          largest=64),
    Entry("diffusers UNet2DConditionModel tuple",
          lambda: diffusers.UNet2DConditionModel(**_CROSSED, **_CONDITION, **_WIDTHS), ["1,4,H,W", 0.5, "1,K,8"],
          {"return_dict": False}, largest=48),
    Entry("diffusers ControlNetModel", lambda: diffusers.ControlNetModel(
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"), conditioning_embedding_out_channels=(8, 8, 8, 8),
        **_CONDITION, **_WIDTHS), ["1,4,H,W", TIME, TEXT, "1,3,8*H,8*W"], largest=40),
    Entry("diffusers UNet1DModel", lambda: diffusers.UNet1DModel(in_channels=2, extra_in_channels=64), ["1,2,L", TIME],
          largest=512),
    Entry("diffusers UNet1DModel temporal", _temporal, ["1,4,L", TIME], largest=512),
    Entry("diffusers UNet3DConditionModel", _unet3d, ["1,4,2,H,W", TIME, TEXT], largest=32),
    Entry("diffusers UNet3DConditionModel frames", _unet3d, ["1,4,T,8,12", TIME, TEXT], largest=12),
    Entry("diffusers UNetMotionModel", _motion, ["1,4,2,H,W", TIME, "2,5,8"], largest=32),
    Entry("diffusers UNetSpatioTemporalConditionModel", _stable_video, ["1,2,4,H,W", TIME, "1,1,8", "1,3"], largest=32),
    Entry("diffusers StableCascadeUNet", _cascade, ["1,4,H,W", "1", "1,1,8"], largest=64),
    Entry("diffusers Kandinsky3UNet", _kandinsky, ["1,4,H,W", TIME, TEXT, "1,5"], largest=32),
    Entry("diffusers UVit2DModel", lambda: diffusers.UVit2DModel(
        hidden_size=16, cond_embed_dim=8, micro_cond_encode_dim=4, micro_cond_embed_dim=20, encoder_hidden_size=8,
        vocab_size=20, codebook_size=16, in_channels=16, block_out_channels=16, num_res_blocks=1, downsample=True,
        upsample=True, block_num_heads=2, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16),
        ["1,H,W:int64", TEXT, "1,8", "1,5"], largest=32),
)  # fmt: skip

AUTOENCODERS = (
    Entry("diffusers AutoencoderKL", lambda: diffusers.AutoencoderKL(**_CODED), IMAGE, largest=64),
    Entry("diffusers AutoencoderKL tiled", lambda: _tiled(diffusers.AutoencoderKL(sample_size=32, **_CODED)), IMAGE,
          largest=80),
    Entry("diffusers AsymmetricAutoencoderKL", _asymmetric, IMAGE, largest=64),
    Entry("diffusers AsymmetricAutoencoderKL mask", _asymmetric, [IMAGE, "1,1,H,W"], largest=64),
    Entry("diffusers AutoencoderTiny", lambda: diffusers.AutoencoderTiny(
        encoder_block_out_channels=(8, 8, 8), decoder_block_out_channels=(8, 8, 8), num_encoder_blocks=(1, 1, 1),
        num_decoder_blocks=(1, 1, 1)), IMAGE),
    Entry("diffusers VQModel", lambda: diffusers.VQModel(num_vq_embeddings=8, **_CODED), IMAGE, largest=64),
    Entry("diffusers AutoencoderKLTemporalDecoder", lambda: diffusers.AutoencoderKLTemporalDecoder(
        down_block_types=("DownEncoderBlock2D",) * 2, block_out_channels=(32, 32)), IMAGE, {"num_frames": 1},
        largest=32),
    Entry("diffusers AutoencoderDC", _deep_compression, IMAGE, largest=64),
    Entry("diffusers ConsistencyDecoderVAE", _consistency, IMAGE, largest=32),
    Entry("diffusers AutoencoderOobleck", lambda: diffusers.AutoencoderOobleck(
        encoder_hidden_size=8, downsampling_ratios=[2, 4, 5], channel_multiples=[1, 2, 2], decoder_channels=4,
        decoder_input_channels=4), "1,2,L", largest=4000),
)  # fmt: skip

VIDEOS = (
    Entry("diffusers AutoencoderKLWan", lambda: diffusers.AutoencoderKLWan(base_dim=8, z_dim=4, dim_mult=[1, 1, 2],
          num_res_blocks=1, temperal_downsample=[False, True]), VIDEO, largest=24),
    Entry("diffusers AutoencoderKLWan frames", lambda: diffusers.AutoencoderKLWan(
        base_dim=8, z_dim=4, dim_mult=[1, 1], num_res_blocks=1, temperal_downsample=[True]), "1,3,T,8,8", largest=14),
    Entry("diffusers AutoencoderKLCogVideoX", lambda: diffusers.AutoencoderKLCogVideoX(**_FRAMES), VIDEO, largest=32),
    Entry("diffusers AutoencoderKLCogVideoX frames", lambda: diffusers.AutoencoderKLCogVideoX(**_FRAMES),
          "1,3,T,16,16", largest=18),
    Entry("diffusers AutoencoderKLLTXVideo", _ltx, "1,3,9,H,W", largest=64),
    Entry("diffusers AutoencoderKLLTXVideo frames", _ltx, "1,3,T,32,32", largest=34),
    Entry("diffusers AutoencoderKLHunyuanVideo", lambda: diffusers.AutoencoderKLHunyuanVideo(**_FRAMES), VIDEO,
          largest=24),
    Entry("diffusers AutoencoderKLMochi", _mochi, "1,3,6,H,W", largest=24),
)  # fmt: skip

TRANSFORMERS = (
    Entry("diffusers DiTTransformer2DModel", lambda: diffusers.DiTTransformer2DModel(
        sample_size=8, norm_num_groups=4, **_HEADS), ["1,4,H,W", TIME, TIME], largest=16),
    Entry("diffusers PixArtTransformer2DModel", lambda: diffusers.PixArtTransformer2DModel(
        sample_size=8, norm_num_groups=4, cross_attention_dim=16, caption_channels=8, use_additional_conditions=False,
        **_HEADS), ["1,4,H,W", TEXT, TIME], {"added_cond_kwargs": {"resolution": None, "aspect_ratio": None}},
        largest=16),
    Entry("diffusers SD3Transformer2DModel", lambda: diffusers.SD3Transformer2DModel(
        sample_size=8, in_channels=4, joint_attention_dim=8, caption_projection_dim=16, pooled_projection_dim=8,
        out_channels=4, pos_embed_max_size=16, **_HEADS), ["1,4,H,W", TEXT, "1,8", TIME], largest=40),
    Entry("diffusers FluxTransformer2DModel", lambda: diffusers.FluxTransformer2DModel(
        in_channels=4, num_single_layers=1, joint_attention_dim=8, pooled_projection_dim=8, axes_dims_rope=(2, 2, 4),
        **_HEADS), ["1,S,4", TEXT, "1,8", TIME, "S,3", "5,3"], largest=64),
    Entry("diffusers SanaTransformer2DModel", lambda: diffusers.SanaTransformer2DModel(
        in_channels=4, out_channels=4, num_cross_attention_heads=2, cross_attention_head_dim=8, cross_attention_dim=16,
        caption_channels=8, sample_size=8, patch_size=2, **_HEADS), ["1,4,H,W", TEXT, TIME], largest=32),
    Entry("diffusers WanTransformer3DModel", lambda: diffusers.WanTransformer3DModel(
        in_channels=4, out_channels=4, text_dim=8, freq_dim=8, ffn_dim=16, rope_max_seq_len=32, num_layers=1,
        num_attention_heads=2, attention_head_dim=12), ["1,4,T,H,W", TIME, TEXT], largest=20),
    Entry("diffusers CogVideoXTransformer3DModel", lambda: diffusers.CogVideoXTransformer3DModel(
        in_channels=4, out_channels=4, time_embed_dim=2, text_embed_dim=8, sample_width=8, sample_height=8,
        sample_frames=9, max_text_seq_length=5, **_HEADS), ["1,3,4,H,W", TEXT, TIME], largest=20),
    Entry("diffusers LatteTransformer3DModel", lambda: diffusers.LatteTransformer3DModel(
        in_channels=4, sample_size=8, patch_size=2, cross_attention_dim=16, caption_channels=8, video_length=2,
        norm_type="ada_norm_single", num_embeds_ada_norm=10, out_channels=8, norm_elementwise_affine=False, **_HEADS),
        ["1,4,2,H,W", TIME, TEXT], largest=16),
)  # fmt: skip


def _tiled(net: Any) -> nn.Module:
    net.enable_tiling()
    return net


ENTRIES = (*UNETS, *AUTOENCODERS, *VIDEOS, *TRANSFORMERS)
