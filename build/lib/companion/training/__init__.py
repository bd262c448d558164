"""Training: the loop, its batches, augmentation, and the learning curves it returns."""
