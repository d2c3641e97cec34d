def decoded(codes: Tensor, scales: Tensor, code: Tensor, block: int) -> Tensor:
    values = code.index_select(0, codes.flatten().to(3))
    short = scales.numel() * block - values.numel()
    return torch.constant_pad_nd(values, [0, short]).view(-1, block) * scales.unsqueeze(1)


def encode(values: Tensor, codes: Tensor, scales: Tensor, fewest: float) -> None:
    scales.copy_(values.abs().amax([1]))
    shares = (values / torch.where(scales > 0, scales, torch.ones_like(scales)).unsqueeze(1)).flatten()[:codes.numel()]
    sizes = shares.abs()
    powers = torch.log10(sizes).ceil_().add_(6.0).clamp_(0.0, 6.0)
    parts = torch.exp2(powers).mul_(fewest)
    places = sizes.mul_(torch.pow(10.0, 6.0 - powers)).sub_(0.1).mul_(parts).div_(0.9).floor_().add_(parts).add_(1.0 - fewest)
    if fewest == 1.0:
        places = places.mul_(shares.sign()).add_(127.0)
    codes.copy_(places.clamp_(0.0, 255.0).view(codes.shape))


def adamw(
        params: List[Tensor], grads: List[Tensor], codes1: List[Tensor], scales1: List[Tensor],
        codes2: List[Tensor], scales2: List[Tensor], signed: Tensor, unsigned: Tensor, step: float, lr: float,
        beta1: float, beta2: float, weight_decay: float, eps: float, block: int) -> None:
    for i in range(len(params)):
        mean = decoded(codes1[i], scales1[i], signed, block)
        square = decoded(codes2[i], scales2[i], unsigned, block)
        grad = grads[i].flatten().float()
        grad = torch.constant_pad_nd(grad, [0, mean.numel() - grad.numel()]).view(-1, block)
        mean.mul_(beta1).add_(grad, alpha=1.0 - beta1)
        square.mul_(beta2).addcmul_(grad, grad, value=1.0 - beta2)
        encode(mean, codes1[i], scales1[i], 1.0)
        encode(square, codes2[i], scales2[i], 2.0)
        update = mean / (square.sqrt_().div_((1.0 - beta2 ** step) ** 0.5).add_(eps))
        update = update.flatten()[:params[i].numel()].view(params[i].shape)
        params[i].mul_(1.0 - lr * weight_decay)
        params[i].add_(update.to(params[i].dtype), alpha=-lr / (1.0 - beta1 ** step))
