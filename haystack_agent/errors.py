"""Every error that a user can meet.

HaystackError
├── UsageError             what was asked for cannot be done as asked (wrong option, unknown index, bad filter)
├── IndexUnusable          the index as a whole cannot be used
│   ├── IndexNotFound      there is none at that place
│   ├── IndexBusy          another process uses it
│   ├── IndexDamaged       its files cannot be read
│   ├── IndexMismatch      it was made with another profile or by a newer version
│   └── StorageFull        no room left on the disk
├── StoreUnreachable       the Qdrant server does not answer, or refuses the key
├── ModelUnavailable       a model's files are missing, damaged or not the expected ones
│   └── ModelMismatch      models that do not belong together
├── ModelFailed            a language model did not answer
│   ├── ModelUnreachable   nothing answers at its address, or not in time
│   ├── ModelRefused       it does not take the key, or does not know the model
│   ├── ModelBusy          too many requests, or an error on its side
│   │   └── ModelLoading    its server is still loading it
│   ├── PicturesRefused    it cannot see
│   ├── ToolsRefused       it cannot use tools
│   └── ContextTooLong     the request is longer than it can read
└── ReadFailed             one file cannot be read; the job goes on
    ├── EncryptedFile
    ├── UnsupportedFile    not a kind of file that is read: counted as skipped, not as failed
    ├── ReadLimitExceeded  too big, too slow or too hungry
    └── ReadCutShort       its decoder hung or died, for which the machine may be to blame: worth another try

Each message says what was wrong, with which value, and what to do next.
"""

from __future__ import annotations


class HaystackError(Exception):
    """Root of all errors that are shown to a user without a traceback."""


class UsageError(HaystackError):
    """What was asked for cannot be done as asked."""


class IndexUnusable(HaystackError):
    """The index as a whole cannot be used."""


class IndexNotFound(IndexUnusable):
    """There is no index at the place named."""


class IndexBusy(IndexUnusable):
    """Another process uses the index."""


class IndexDamaged(IndexUnusable):
    """Files of the index cannot be read."""


class IndexMismatch(IndexUnusable):
    """The index was made with another profile, or by a version that this one does not know."""


class StorageFull(IndexUnusable):
    """The disk that holds the index is full."""


class StoreUnreachable(HaystackError):
    """The Qdrant server does not answer or refuses the request."""


class ModelUnavailable(HaystackError):
    """A model's files are missing, damaged, or not the expected ones."""


class ModelMismatch(ModelUnavailable):
    """A projector, a bank or a run belongs to other encoders than those it is used with."""


class ModelFailed(HaystackError):
    """A language model did not answer."""


class ModelUnreachable(ModelFailed):
    """Nothing answers at its address, or not in time."""


class ModelRefused(ModelFailed):
    """The key is wrong, or the model is not known there."""


class ModelBusy(ModelFailed):
    """It takes no more requests for now, or failed on its side: worth another try."""


class ModelLoading(ModelBusy):
    """Its server is there, but still loads it: worth waiting for."""


class PicturesRefused(ModelFailed):
    """The model does not take pictures."""


class ToolsRefused(ModelFailed):
    """The model does not use tools."""


class ContextTooLong(ModelFailed):
    """The request is longer than the model can read."""


class ReadFailed(HaystackError):
    """One file cannot be read; the message is one line that becomes its entry in the manifest."""


class EncryptedFile(ReadFailed):
    """The file needs a password."""


class UnsupportedFile(ReadFailed):
    """The file is of no kind that is read: it is skipped, not failed."""


class ReadLimitExceeded(ReadFailed):
    """Reading the file would take, or took, too much time, memory or space."""


class ReadCutShort(ReadFailed):
    """The reading was ended from outside, which need not be the file's fault: worth another try."""
