"""The paper's algorithm, on tensors (1, 3, H, W) in 0..1 and holes (1, 1, H, W); True or 1 is unknown."""
