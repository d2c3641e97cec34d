def scale(grads: List[Tensor], factor: float) -> None:
    torch._foreach_mul_(grads, factor)


def by_value(grads: List[Tensor], most: float) -> None:
    torch._foreach_clamp_max_(grads, most)
    torch._foreach_clamp_min_(grads, -most)
