"""The engine: evidence, encoders, stores, retrieval and answering; no command line, no web, no file walking."""
