"""Questions of the page, their answers in the making, and conversations."""
