"""The commands of ``haystack-agent``, a module each."""
