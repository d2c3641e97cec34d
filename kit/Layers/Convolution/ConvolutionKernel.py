def convolve(
        x, weight, stride_down: int, stride_across: int, pad_down: int, pad_across: int, dilation_down: int,
        dilation_across: int, groups: int):
    kernel = [weight.size(2), weight.size(3)]
    stride = [stride_down, stride_across]
    padding = [pad_down, pad_across]
    dilation = [dilation_down, dilation_across]
    inputs = x.chunk(groups, 1)
    weights = weight.chunk(groups, 0)
    parts: List[Tensor] = []
    for group in range(groups):
        if dilation_down == 1 and dilation_across == 1:
            parts.append(torch.thnn_conv2d(inputs[group], weights[group], kernel, None, stride, padding))
        else:
            height = (x.size(2) + 2 * pad_down - dilation_down * (kernel[0] - 1) - 1) // stride_down + 1
            columns = torch.im2col(inputs[group], kernel, dilation, padding, stride)
            parts.append(torch.matmul(weights[group].flatten(1), columns).unflatten(2, [height, -1]))
    if groups == 1:
        return parts[0]
    return torch.cat(parts, 1)
