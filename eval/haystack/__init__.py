"""Test haystacks of any size: invented documents, pictures and videos, and questions about the first of them."""
