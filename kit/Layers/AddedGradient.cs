using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>Passes a value on unchanged, and adds a second loss' gradient where the value's own gradient passes.</summary>
/// <remarks>A layer deep in a model can so have a loss of its own without every caller having to add it up.</remarks>
internal static class AddedGradient
{
    /// <param name="value">What is passed on.</param>
    /// <param name="loss">One number whose gradient is added.</param>
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
