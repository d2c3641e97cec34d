using ResearchKit.Layers;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Models;

/// <summary>The first half of an MLP: activation(W x + b); <c>intermediate</c> in the published BERT and ViT.</summary>
internal sealed class IntermediateDense : Module<Tensor, Tensor>
{
    private readonly Dense dense;
    private readonly HookPoint hook_pre = new(), hook_post = new();   // [batch, time, feed-forward channels]
    private readonly Activation activation;

    public IntermediateDense(int width, int feedForwardWidth, Activation activation) : base(nameof(IntermediateDense))
    {
        this.activation = activation;
        dense = Initialization.Dense(width, feedForwardWidth);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return hook_post.Pass(activation.Apply(hook_pre.Pass(dense.call(x)))).MoveToOuterDisposeScope();
    }
}
