using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Attribution;

/// <summary>
/// The gradient with the negative part dropped at every ReLU. It is here as the method that fails the sanity check: it changes
/// little when the weights are made random, so it does not explain the model.
/// </summary>
/// <remarks>
/// Springenberg et al., 2014, https://arxiv.org/abs/1412.6806; the check is Adebayo et al., 2018. ReLUs must be modules.
/// </remarks>
public sealed record GuidedBackprop : AttributionMethod
{
    /// <summary>
    /// Whether gradients also pass where the ReLU's input is negative (the deconvolution of Zeiler and Fergus, 2013).
    /// </summary>
    public bool Deconvolution { get; init; }

    /// <inheritdoc/>
    public override string Name => Deconvolution ? "deconvolution" : "guided backprop";

    internal override Found Explain(Explained explained, Tensor input) =>
        new(explained.With(Guide, () => explained.Gradient(input).Gradient));

    private ModulePlace.Removal Guide(nn.Module model)
    {
        var undo = new List<Action>();
        foreach (var (_, module) in model.named_modules())
            if (Nonlinearity.IsRelu(module) && module is Module<Tensor, Tensor> relu)
                undo.AddRange(Nonlinearity.Replace(relu, (x, _, _) => Function.apply(x, Deconvolution)));
        return undo.Count > 0 ? new ModulePlace.Removal([.. undo]) : throw new ArgumentException(
            $"{Name} changes the gradient of ReLU modules; the model {model.GetName()} has none.");
    }

    private sealed class Function : autograd.SingleTensorFunction<Function>
    {
        public override string Name => nameof(GuidedBackprop);

        public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
        {
            var x = (Tensor)vars[0];
            ctx.save_for_backward([(bool)vars[1] ? ones_like(x) : x.gt(0).to(x.dtype)]);
            return x.relu();
        }

        public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
        {
            using var scope = NewDisposeScope();
            var passes = ctx.get_saved_variables()[0];
            return [(grad_output.clamp_min(0) * passes).MoveToOuterDisposeScope(), null!];   // none for the option
        }
    }
}
