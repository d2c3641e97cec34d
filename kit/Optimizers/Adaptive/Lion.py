def lion(
        params: List[Tensor], grads: List[Tensor], means: List[Tensor], lr: float, beta1: float, beta2: float,
        weight_decay: float) -> None:
    if weight_decay != 0.0:
        torch._foreach_mul_(params, 1.0 - lr * weight_decay)
    direction = torch._foreach_mul(means, beta1)
    torch._foreach_add_(direction, grads, alpha=1.0 - beta1)
    torch._foreach_sign_(direction)
    torch._foreach_add_(params, direction, alpha=-lr)
    torch._foreach_mul_(means, beta2)
    torch._foreach_add_(means, grads, alpha=1.0 - beta2)
