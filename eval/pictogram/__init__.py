"""The uCLIP paper at small scale, with real languages: emoji as pictures, Unicode's names for them as captions.

Everything is made from two Debian packages: ``unicode-cldr-core`` (names and keywords of emoji in about a hundred
languages) and ``fonts-noto-color-emoji`` (their pictures). Run it with ``python -m eval.pictogram FOLDER``.
"""
