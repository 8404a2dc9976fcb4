"""Photos, drawings and screenshots, with what cameras and programs wrote into them."""
