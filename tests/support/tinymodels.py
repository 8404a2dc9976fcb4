"""Tiny models with random weights, written in the formats of the real ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image
    from transformers import PreTrainedTokenizerFast

LETTERS = "abcdefghijklmnopqrstuvwxyzäöüß0123456789:/.-_?!'"
TEXT_REPO = "maker/tiny-xlmr"
"""Where the multilingual CLIP says that its text tower's configuration and tokenizer are."""

PLAIN: dict[str, Any] = {
    "embed_dim": 16,
    "custom_text": True,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 32, "patch_size": 8, "head_width": 16},
    "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 2},
}
MULTILINGUAL: dict[str, Any] = {
    "embed_dim": 16,
    "vision_cfg": PLAIN["vision_cfg"],
    "text_cfg": {
        "context_length": 24,
        "hf_model_name": TEXT_REPO,
        "hf_tokenizer_name": TEXT_REPO,
        "hf_pooler_type": "mean_pooler",
        "hf_proj_type": "mlp",
    },
}
SIGLIP: dict[str, Any] = {
    "embed_dim": 64,
    "init_logit_bias": -10,
    "custom_text": True,
    "vision_cfg": {
        "image_size": 160,
        "timm_model_name": "test_vit",
        "timm_model_pretrained": False,
        "timm_pool": "map",
        "timm_proj": "none",
    },
    "text_cfg": {
        "context_length": 24,
        "vocab_size": 64,
        "hf_tokenizer_name": "maker/tiny-siglip",
        "tokenizer_kwargs": {"clean": "canonicalize"},
        "width": 32,
        "heads": 2,
        "layers": 2,
        "no_causal_mask": True,
        "proj_bias": True,
        "pool_type": "last",
        "norm_kwargs": {"eps": 1e-6},
        "act_kwargs": {"approximate": "tanh"},
    },
}
HALVES = {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5], "interpolation": "bicubic", "resize_mode": "squash"}
NEAREST = {"mean": [0.1, 0.2, 0.3], "std": [0.4, 0.5, 0.6], "interpolation": "bilinear", "resize_mode": "longest"}


def pictures() -> list[Image]:
    """Pictures of several shapes and modes, not one colour alone."""
    from PIL import Image

    gradient = Image.radial_gradient("L")
    return [
        Image.merge("RGB", (gradient, gradient.rotate(90), gradient.transpose(Image.Transpose.FLIP_TOP_BOTTOM))),
        Image.linear_gradient("L").resize((90, 40)).convert("RGB"),
        gradient.resize((17, 61)),
        Image.linear_gradient("L").resize((50, 50)).convert("RGBA"),
    ]


def write_clip(
    folder: Path, config: dict[str, Any], preprocess: Mapping[str, Any], weights: str = "open_clip_model.safetensors"
) -> Path:
    """A CLIP in open_clip's format; the text tower of a multilingual one is made from `TEXT_REPO` beside it."""
    import copy

    import open_clip
    import torch

    torch.manual_seed(7)
    real = copy.deepcopy(config)
    if "hf_model_name" in real["text_cfg"]:
        real["text_cfg"] |= {"hf_model_name": str(folder.parent / TEXT_REPO), "hf_model_pretrained": False}
    real.pop("custom_text", None)
    save(folder / weights, open_clip.CustomTextCLIP(**real).state_dict())
    write_json(folder / "open_clip_config.json", {"model_cfg": config, "preprocess_cfg": dict(preprocess)})
    return folder


def write_text_tower(folder: Path) -> Path:
    """What xlm-roberta-base has for it: a configuration and a tokenizer (its own weights are not needed)."""
    from transformers import XLMRobertaConfig

    XLMRobertaConfig(
        vocab_size=64,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=40,
        pad_token_id=1,
        bos_token_id=0,
        eos_token_id=2,
    ).save_pretrained(folder)
    write_tokenizer(folder)
    return folder


def tokenizer() -> PreTrainedTokenizerFast:
    """Letters as tokens, with the special tokens of XLM-RoBERTa."""
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    special = ["<s>", "<pad>", "</s>", "<unk>"]
    vocabulary = {token: place for place, token in enumerate([*special, " ", *LETTERS])}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=made,
        bos_token="<s>",
        eos_token="</s>",
        sep_token="</s>",
        cls_token="<s>",
        unk_token="<unk>",
        pad_token="<pad>",
        model_max_length=38,
    )


def write_tokenizer(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer().save_pretrained(str(folder))


def write_sentence_model(folder: Path, kind: str, prompts: Mapping[str, str], dense: int = 0) -> Path:
    """A sentence-transformers folder: ``bert`` or ``xlm-roberta``, mean pooling, perhaps a dense layer."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Dense, Transformer
    from sentence_transformers.sentence_transformer.modules import Pooling
    from transformers import AutoConfig, AutoModel

    torch.manual_seed(11)
    config = AutoConfig.for_model(
        kind,
        vocab_size=64,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=40,
        pad_token_id=1,
    )
    base = folder.parent / f"{folder.name}-base"
    AutoModel.from_config(config).save_pretrained(base)  # type: ignore[no-untyped-call]
    write_tokenizer(base)
    modules: list[torch.nn.Module] = [Transformer(str(base)), Pooling(32, "mean")]
    if dense:
        modules.append(Dense(32, dense))
    model = SentenceTransformer(modules=modules, device="cpu", prompts=dict(prompts))
    model.save(str(folder), create_model_card=False)
    return folder


def write_seeing_sentence_model(folder: Path) -> Path:
    """A sentence-transformers folder whose model takes texts and pictures: CLIP of transformers."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Transformer
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPProcessor

    torch.manual_seed(13)
    size = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = CLIPConfig(
        text_config=size | {"vocab_size": 64, "max_position_embeddings": 40, "eos_token_id": 2, "pad_token_id": 1},
        vision_config=size | {"image_size": 32, "patch_size": 8},
        projection_dim=16,
    )
    base = folder.parent / f"{folder.name}-base"
    CLIPModel(config).save_pretrained(base)
    square = {"height": 32, "width": 32}
    pixels = CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=square)
    processor = CLIPProcessor(pixels, tokenizer())  # type: ignore[no-untyped-call]
    processor.save_pretrained(base)
    model = SentenceTransformer(modules=[Transformer(str(base))], device="cpu")
    model.save(str(folder), create_model_card=False)
    return folder


def save(path: Path, tensors: Mapping[str, torch.Tensor]) -> None:
    from safetensors.torch import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: value.detach().clone().contiguous() for name, value in tensors.items()}, path)


def write_json(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1), "utf-8")
