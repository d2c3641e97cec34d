using ResearchKit.Native;
using static TorchSharp.torch;

namespace ResearchKit.Tensors;

/// <summary>A matrix product whose errors are exceptions and do not end the process.</summary>
public static class GuardedMatMul
{
    /// <summary>
    /// Computes the matrix product by the rules of <c>torch.matmul</c>, with broadcast batch axes.
    /// </summary>
    /// <remarks>
    /// TorchSharp's own <c>matmul</c> lets a C++ exception escape, which aborts the process. This one uses mm and
    /// bmm, whose errors are reported.
    /// </remarks>
    /// <param name="left">[..., rows, inner] or [inner].</param>
    /// <param name="right">[..., inner, columns] or [inner].</param>
    /// <returns>[..., rows, columns]; a factor with one axis gives no rows or no columns axis.</returns>
    /// <exception cref="ArgumentException">The shapes do not match, or the dtypes or devices differ; the message
    /// names both.</exception>
    public static Tensor MatMul(this Tensor left, Tensor right)
    {
        Check(left, right);
        if (BFloat16Emulation.Fits(left)) return BFloat16Emulation.Of(left, right, null, (left, right, _) => left.MatMul(right));
        using var scope = NewDisposeScope();
        var a = left.dim() == 1 ? left.unsqueeze(0) : left;
        var b = right.dim() == 1 ? right.unsqueeze(1) : right;
        var product = b.dim() == 2 ? Rows(a, b) : Batches(a, b);
        if (right.dim() == 1) product = product.squeeze(-1);
        if (left.dim() == 1) product = product.squeeze(right.dim() == 1 ? -1 : -2);
        return product.MoveToOuterDisposeScope();
    }

    private static Tensor Rows(Tensor a, Tensor b)
    {
        FlopTally.Add((double)a.numel() * b.shape[1], gradients: Gradients(a, b));
        return a.reshape(-1, a.shape[^1]).mm(b).reshape([.. a.shape[..^1], b.shape[1]]);
    }

    private static Tensor Batches(Tensor a, Tensor b)
    {
        var batch = BroadcastShape(a.shape[..^2], b.shape[..^2])!;
        var left = a.expand([.. batch, .. a.shape[^2..]]).reshape(-1, a.shape[^2], a.shape[^1]);
        var right = b.expand([.. batch, .. b.shape[^2..]]).reshape(-1, b.shape[^2], b.shape[^1]);
        FlopTally.Add((double)left.numel() * b.shape[^1], gradients: Gradients(a, b));
        return left.bmm(right).reshape([.. batch, a.shape[^2], b.shape[^1]]);
    }

    private static int Gradients(Tensor a, Tensor b) =>
        !FlopTally.IsAsked ? 0 : (a.requires_grad ? 1 : 0) + (b.requires_grad ? 1 : 0);

    private static void Check(Tensor left, Tensor right)
    {
        var a = left.shape;
        var b = right.shape;
        if (a.Length == 0 || b.Length == 0) throw Mismatch(left, right, "a factor without axes has no matrix product");
        var inner = b.Length == 1 ? b[0] : b[^2];
        if (a[^1] != inner) throw Mismatch(left, right, $"{a[^1]} columns on the left meet {inner} rows on the right");
        if (a.Length > 2 && b.Length > 2 && BroadcastShape(a[..^2], b[..^2]) is null)
            throw Mismatch(left, right, "the batch axes do not broadcast");
        if (left.dtype != right.dtype) throw Mismatch(left, right, $"the dtypes differ, {left.dtype} and {right.dtype}");
        if (left.device.ToString() != right.device.ToString())
            throw Mismatch(left, right, $"the devices differ, {left.device} and {right.device}");
    }

    private static ArgumentException Mismatch(Tensor left, Tensor right, string why) =>
        new($"Cannot multiply {left.ShapeText()} by {right.ShapeText()}: {why}.");

    private static long[]? BroadcastShape(long[] a, long[] b)
    {
        var result = new long[Math.Max(a.Length, b.Length)];
        for (var i = 1; i <= result.Length; i++)
        {
            var x = i <= a.Length ? a[^i] : 1;
            var y = i <= b.Length ? b[^i] : 1;
            if (x != y && x != 1 && y != 1) return null;
            result[^i] = x == 1 ? y : x;
        }
        return result;
    }
}
