def pack(
        weight, stride_down: int, stride_across: int, pad_down: int, pad_across: int, dilation_down: int,
        dilation_across: int, groups: int, x):
    return torch.mkldnn_reorder_conv2d_weight(weight.to_mkldnn(), [pad_down, pad_across], [stride_down, stride_across],
        [dilation_down, dilation_across], groups, x.size())
