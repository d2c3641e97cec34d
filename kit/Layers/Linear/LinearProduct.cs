using ResearchKit.Native;
using ResearchKit.Tensors;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Layers;

/// <summary>Computes x Wᵀ + b with the native kernel that is fastest on this machine.</summary>
internal static class LinearProduct
{
    /// <summary>Computes x Wᵀ + b.</summary>
    /// <param name="x">[..., in].</param>
    /// <param name="weight">[out, in], of any strides, such as the transpose of a matrix stored as [in,
    /// out].</param>
    /// <param name="bias">[out], or null.</param>
    /// <returns>[..., out].</returns>
    public static Tensor Of(Tensor x, Tensor weight, Tensor? bias = null)
    {
        FlopTally.Add((double)x.numel() * weight.shape[0], ProductKind.Linear, Gradients(x, weight));
        var y = BFloat16Emulation.Fits(x) ? BFloat16Emulation.Of(x, weight, bias, Fastest) : Fastest(x, weight, bias);
        ActivationRules.Product(x, y, weight, bias);
        return y;
    }

    /// <summary>Number of the two factors of a product that need a gradient.</summary>
    internal static int Gradients(Tensor x, Tensor weight) =>
        !FlopTally.IsAsked ? 0 : (x.requires_grad ? 1 : 0) + (weight.requires_grad ? 1 : 0);

    private static Tensor Fastest(Tensor x, Tensor weight, Tensor? bias)
    {
        var kernels = Kernels.Current;
        if (!kernels.UsesOneDnnLinear || x.numel() == 0
            || !kernels.MultipliesByOneDnn(x.numel() / Math.Max(1, x.shape[^1]), weight.numel())
            || !OneDnnLinear.Fits(x, weight, bias) || Autocast.TypeOn(x.device_type) is not null)
            return functional.linear(x, weight, bias);
        var noted = is_grad_enabled() && (x.requires_grad || weight.requires_grad || bias is { requires_grad: true });
        using var scope = NewDisposeScope();
        var rows = x.reshape(-1, x.shape[^1]);
        return Rows(rows, weight, noted, bias).view([.. x.shape[..^1], weight.shape[0]]).MoveToOuterDisposeScope();
    }

    private static Tensor Rows(Tensor x, Tensor weight, bool noted, Tensor? bias = null) =>
        !noted ? OneDnnLinear.Multiply(x, weight, bias) : Function.apply(bias is null ? [x, weight] : [x, weight, bias]);

    /// <summary>
    /// The product as an autograd function. Its gradients are such products too, so they are differentiable in
    /// turn.
    /// </summary>
    private sealed class Function : autograd.SingleTensorFunction<Function>
    {
        [ThreadStatic]
        private static List<Tensor>? taken;   // gradients of the previous call

        public override string Name => nameof(LinearProduct);

        public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
        {
            var x = (Tensor)vars[0];
            var weight = (Tensor)vars[1];
            var bias = vars.Length > 2 ? (Tensor)vars[2] : null;
            ctx.save_for_backward(bias is null ? [x, weight] : [x, weight, bias]);
            return OneDnnLinear.Multiply(x, weight, bias);
        }

        public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
        {
            using var scope = NewDisposeScope();
            using var gradient = grad_output;   // its handle would otherwise not be freed before the step ends
            var saved = ctx.get_saved_variables();
            var x = saved[0];
            var weight = saved[1];
            var noted = is_grad_enabled();
            List<Tensor> gradients =
            [
                x.requires_grad ? OfInput(gradient, weight, noted) : null!,
                weight.requires_grad ? OfWeight(x, gradient, noted) : null!,
            ];
            if (saved.Count > 2) gradients.Add(saved[2].requires_grad ? gradient.sum([0]) : null!);
            Free(taken);
            taken = gradients;
            foreach (var one in gradients) one?.MoveToOuterDisposeScope();
            return gradients;
        }

        /// <summary>Frees gradients of the previous call, which libtorch holds itself by now.</summary>
        private static void Free(List<Tensor>? gradients)
        {
            foreach (var gradient in gradients ?? []) gradient?.Dispose();
        }

        /// <summary>Computes the gradient of the input: g W, [rows, in].</summary>
        private static Tensor OfInput(Tensor gradient, Tensor weight, bool noted) =>
            Kernels.Current.InputGradientByOneDnn ? Rows(gradient, weight.t(), noted) : gradient.mm(weight);

        /// <summary>
        /// Computes the gradient of the weight: gᵀ x, [out, in]. Of gᵀ x and (xᵀ g)ᵀ it takes the one whose first
        /// factor is smaller, because oneDNN copies that factor.
        /// </summary>
        private static Tensor OfWeight(Tensor x, Tensor gradient, bool noted) =>
            !Kernels.Current.WeightGradientByOneDnn ? gradient.t().mm(x)
            : gradient.shape[1] > x.shape[1] ? Rows(x.t(), gradient.t(), noted).t() : Rows(gradient.t(), x.t(), noted);
    }
}
