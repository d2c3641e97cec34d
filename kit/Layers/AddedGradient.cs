using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>
/// Returns a value unchanged, and backpropagates an auxiliary loss together with the value's own gradient.
/// </summary>
/// <remarks>
/// A layer deep inside a model can have a loss of its own this way, and callers need not add it to theirs.
/// </remarks>
internal static class AddedGradient
{
    /// <param name="value">The tensor to return.</param>
    /// <param name="loss">The auxiliary loss, one number; its gradient is added in the backward pass.</param>
    public static Tensor Join(Tensor value, Tensor loss) => Function.apply(value, loss);

    private sealed class Function : autograd.SingleTensorFunction<Function>
    {
        public override string Name => nameof(AddedGradient);

        public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
        {
            var value = (Tensor)vars[0];
            var loss = (Tensor)vars[1];
            ctx.save_for_backward([loss]);
            return value.alias();
        }

        public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
        {
            var loss = ctx.get_saved_variables()[0];
            return [grad_output.alias(), ones_like(loss)];
        }
    }
}
