def directions(
        params: List[Tensor], grads: List[Tensor], squares: List[Tensor], means: List[Tensor], step: float,
        beta2: float, eps: float, momentum: float, weight_decay: float) -> List[Tensor]:
    torch._foreach_mul_(squares, beta2)
    torch._foreach_addcmul_(squares, grads, grads, value=1.0 - beta2)
    denominators = torch._foreach_div(squares, 1.0 - beta2 ** step)
    torch._foreach_sqrt_(denominators)
    torch._foreach_add_(denominators, eps)
    if momentum != 0.0:
        torch._foreach_mul_(means, momentum)
        torch._foreach_add_(means, grads, alpha=1.0 - momentum)
        grads = torch._foreach_div(means, 1.0 - momentum ** step)
    directions = torch._foreach_div(grads, denominators)
    if weight_decay != 0.0:
        torch._foreach_add_(directions, params, alpha=weight_decay)
    return directions
