"""Which files there are, and what each is, before anything is decoded."""
