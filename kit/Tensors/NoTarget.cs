namespace ResearchKit.Tensors;

/// <summary>The target that stands for "no target" in losses and metrics, PyTorch's <c>ignore_index</c>.</summary>
internal static class NoTarget
{
    public const long Value = -100;
}
