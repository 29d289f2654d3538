"""What has no size rule: tried by itself at some sizes, which is evidence and no proof."""
