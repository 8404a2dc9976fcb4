"""uCLIP: two small heads that bring a CLIP and a multilingual sentence encoder into one space, trained without pairs.

After Chung et al., "uCLIP: Parameter-Efficient Multilingual Extension of Vision-Language Models with Unpaired Data",
AAAI 2026 (arXiv 2511.13036).
"""
