"""The paper's algorithm, on pictures (H, W, 3) in 0..1 and holes (H, W), where True is unknown."""
