def approach(averages: List[Tensor], weights: List[Tensor], share: float) -> None:
    torch._foreach_lerp_(averages, weights, share)
