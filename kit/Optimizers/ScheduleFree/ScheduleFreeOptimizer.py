def move(
        params: List[Tensor], z: List[Tensor], directions: List[Tensor], lr: float, interpolation: float,
        share: float) -> None:
    torch._foreach_lerp_(params, z, share)
    torch._foreach_add_(params, directions, alpha=lr * (interpolation * (1.0 - share) - 1.0))
    torch._foreach_sub_(z, directions, alpha=lr)


def begin(params: List[Tensor], z: List[Tensor]) -> None:
    torch._foreach_copy_(z, params)
