def join(tensors: List[Tensor], dtype: int) -> Tensor:
    return torch.cat([tensor.flatten() for tensor in tensors]).to(dtype).to(torch.device("cpu"))


def split(flat: Tensor, tensors: List[Tensor]) -> None:
    here = flat.to(tensors[0].device)
    pieces: List[Tensor] = []
    start = 0
    for tensor in tensors:
        pieces.append(here[start:start + tensor.numel()].view(tensor.shape))
        start += tensor.numel()
    torch._foreach_copy_(tensors, pieces)
