def sophia(
        params: List[Tensor], grads: List[Tensor], means: List[Tensor], curvatures: List[Tensor], lr: float,
        beta1: float, scale: float, weight_decay: float, maximize: bool) -> None:
    if weight_decay != 0.0:
        torch._foreach_mul_(params, 1.0 - lr * weight_decay)
    torch._foreach_mul_(means, beta1)
    torch._foreach_add_(means, grads, alpha=beta1 - 1.0 if maximize else 1.0 - beta1)
    scaled = torch._foreach_mul(curvatures, scale)
    torch._foreach_add_(scaled, 1e-15)
    ratios = torch._foreach_abs(means)
    torch._foreach_div_(ratios, scaled)
    torch._foreach_clamp_max_(ratios, 1.0)
    torch._foreach_addcmul_(params, torch._foreach_sign(means), ratios, value=-lr)


def curvature(grads: List[Tensor], curvatures: List[Tensor], beta2: float) -> None:
    torch._foreach_mul_(curvatures, beta2)
    torch._foreach_addcmul_(curvatures, grads, grads, value=1.0 - beta2)
