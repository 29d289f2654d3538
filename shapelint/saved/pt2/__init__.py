"""Programs of torch.export as modules."""
