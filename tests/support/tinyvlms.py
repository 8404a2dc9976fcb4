"""Tiny multimodal chat models with random weights, written in the formats of two real families: LLaVA and Qwen2-VL."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.tinymodels import LETTERS

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

_SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<image>", "<video>", "<vision>", "</vision>")
_TEXT = {
    "vocab_size": 96,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 4096,
    "bos_token_id": 0,
    "pad_token_id": 1,
    "eos_token_id": 2,
}
_TEMPLATE = (
    "{% for message in messages %}{{ message['role'] }}: {% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}PICTURE{% else %}{{ part['text'] }}{% endif %}{% endfor %}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)


def _tokenizer() -> PreTrainedTokenizerFast:
    """Letters and signs as tokens."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    signs = dict.fromkeys(" \n" + LETTERS + LETTERS.upper() + '[](),;<>="')
    vocabulary = {token: place for place, token in enumerate([*_SPECIAL, *signs])}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    made.decoder = decoders.Fuse()
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=made,
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        pad_token="<pad>",
        additional_special_tokens=list(_SPECIAL[4:]),
        extra_special_tokens={"image_token": "<image>", "video_token": "<video>"},
        model_max_length=4096,
    )


def write_llava(folder: Path, seed: int = 19) -> Path:
    """A LLaVA: CLIP's picture tower, a projector, a Llama; with this seed it writes spaces, where text is handed on."""
    import torch
    from transformers import CLIPImageProcessor, LlavaConfig, LlavaForConditionalGeneration, LlavaProcessor

    torch.manual_seed(seed)
    tokenizer = _tokenizer()
    eyes: dict[str, Any] = {
        "model_type": "clip_vision_model", "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
        "num_attention_heads": 2, "image_size": 32, "patch_size": 8,
    }  # fmt: skip
    text: dict[str, Any] = {**_TEXT, "vocab_size": len(tokenizer), "model_type": "llama"}
    config = LlavaConfig(vision_config=eyes, text_config=text, image_token_index=_SPECIAL.index("<image>"))
    network = LlavaForConditionalGeneration(config)
    network.generation_config.eos_token_id = None  # or a random model would soon have said all
    network.save_pretrained(folder)
    square = {"height": 32, "width": 32}
    processor = LlavaProcessor(  # type: ignore[no-untyped-call]
        CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=square),
        tokenizer,
        patch_size=8,
        vision_feature_select_strategy="default",
        image_token="<image>",
        num_additional_image_tokens=1,
        chat_template=_TEMPLATE.replace("PICTURE", "<image>"),
    )
    processor.save_pretrained(folder)
    return folder


def write_qwen(folder: Path, seed: int = 7) -> Path:
    """A Qwen2-VL: pictures of any size as many tokens as they need."""
    import torch
    from transformers import (
        Qwen2VLConfig,
        Qwen2VLForConditionalGeneration,
        Qwen2VLImageProcessor,
        Qwen2VLProcessor,
        Qwen2VLVideoProcessor,
    )

    torch.manual_seed(seed)
    tokenizer = _tokenizer()
    eyes: dict[str, Any] = {
        "depth": 2,
        "embed_dim": 32,
        "hidden_size": 32,
        "num_heads": 2,
        "patch_size": 8,
        "mlp_ratio": 2,
    }
    text: dict[str, Any] = {
        **_TEXT,
        "vocab_size": len(tokenizer),
        "rope_parameters": {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 10000.0},
    }
    config = Qwen2VLConfig(
        text_config=text,
        vision_config=eyes,
        image_token_id=_SPECIAL.index("<image>"),
        video_token_id=_SPECIAL.index("<video>"),
        vision_start_token_id=_SPECIAL.index("<vision>"),
        vision_end_token_id=_SPECIAL.index("</vision>"),
    )
    network = Qwen2VLForConditionalGeneration(config)
    network.generation_config.eos_token_id = None
    network.save_pretrained(folder)
    limits: dict[str, Any] = {"patch_size": 8, "size": {"shortest_edge": 256, "longest_edge": 4096}}
    processor = Qwen2VLProcessor(  # type: ignore[no-untyped-call]
        Qwen2VLImageProcessor(**limits),
        tokenizer,
        Qwen2VLVideoProcessor(**limits),
        chat_template=_TEMPLATE.replace("PICTURE", "<vision><image></vision>"),
    )
    processor.save_pretrained(folder)
    return folder
