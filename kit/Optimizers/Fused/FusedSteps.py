def adam(
        params: List[Tensor], grads: List[Tensor], means: List[Tensor], squares: List[Tensor],
        largest: List[Tensor], step: float, lr: float, beta1: float, beta2: float, weight_decay: float,
        eps: float, amsgrad: bool, maximize: bool) -> None:
    steps = [torch.full([], step, dtype=6, device=params[0].device)] * len(params)
    torch._fused_adam_(
        params, grads, means, squares, largest, steps, lr=lr, beta1=beta1, beta2=beta2,
        weight_decay=weight_decay, eps=eps, amsgrad=amsgrad, maximize=maximize)


def adamw(
        params: List[Tensor], grads: List[Tensor], means: List[Tensor], squares: List[Tensor],
        largest: List[Tensor], step: float, lr: float, beta1: float, beta2: float, weight_decay: float,
        eps: float, amsgrad: bool, maximize: bool) -> None:
    steps = [torch.full([], step, dtype=6, device=params[0].device)] * len(params)
    torch._fused_adamw_(
        params, grads, means, squares, largest, steps, lr=lr, beta1=beta1, beta2=beta2,
        weight_decay=weight_decay, eps=eps, amsgrad=amsgrad, maximize=maximize)


def sgd(
        params: List[Tensor], grads: List[Tensor], buffers: List[Tensor], lr: float, momentum: float,
        dampening: float, weight_decay: float, nesterov: bool, maximize: bool, first: bool) -> None:
    torch._fused_sgd_(
        params, grads, buffers, weight_decay=weight_decay, momentum=momentum, lr=lr, dampening=dampening,
        nesterov=nesterov, maximize=maximize, is_first_step=first)
