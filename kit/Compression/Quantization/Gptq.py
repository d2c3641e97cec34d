def gptq_block(
        w: Tensor, factor: Tensor, scales: Tensor, zeros: Tensor, lowest: int, highest: int) -> List[Tensor]:
    codes = torch.empty_like(w)
    errors = torch.empty_like(w)
    for i in range(w.size(1)):
        column = w.select(1, i)
        scale = scales.select(1, i)
        zero = zeros.select(1, i)
        code = torch.clamp(torch.round(column / scale) + zero, lowest, highest)
        error = (column - (code - zero) * scale) / factor[i, i]
        codes.select(1, i).copy_(code)
        errors.select(1, i).copy_(error)
        w.narrow(1, i, w.size(1) - i).sub_(torch.outer(error, factor[i].narrow(0, i, w.size(1) - i)))
    return [codes, errors]
