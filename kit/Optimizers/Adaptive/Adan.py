def adan(
        params: List[Tensor], grads: List[Tensor], means: List[Tensor], mean_differences: List[Tensor],
        squares: List[Tensor], negative_last: List[Tensor], clip: List[Tensor], step: float, lr: float,
        beta1: float, beta2: float, beta3: float, weight_decay: float, eps: float, proximal: bool) -> None:
    if len(clip) > 0:
        grads = torch._foreach_mul(grads, clip[0])
    if step == 1.0:
        torch._foreach_copy_(negative_last, grads)
        torch._foreach_neg_(negative_last)
    difference = negative_last
    torch._foreach_add_(difference, grads)
    torch._foreach_mul_(means, beta1)
    torch._foreach_add_(means, grads, alpha=1.0 - beta1)
    torch._foreach_mul_(mean_differences, beta2)
    torch._foreach_add_(mean_differences, difference, alpha=1.0 - beta2)
    ahead = difference
    torch._foreach_mul_(ahead, beta2)
    torch._foreach_add_(ahead, grads)
    torch._foreach_mul_(squares, beta3)
    torch._foreach_addcmul_(squares, ahead, ahead, value=1.0 - beta3)

    denominators = torch._foreach_sqrt(squares)
    torch._foreach_div_(denominators, (1.0 - beta3 ** step) ** 0.5)
    torch._foreach_add_(denominators, eps)
    if weight_decay != 0.0 and not proximal:
        torch._foreach_mul_(params, 1.0 - lr * weight_decay)
    torch._foreach_addcdiv_(params, means, denominators, value=-lr / (1.0 - beta1 ** step))
    torch._foreach_addcdiv_(params, mean_differences, denominators, value=-lr * beta2 / (1.0 - beta2 ** step))
    if weight_decay != 0.0 and proximal:
        torch._foreach_div_(params, 1.0 + lr * weight_decay)
    torch._foreach_copy_(negative_last, grads)
    torch._foreach_neg_(negative_last)
