using ResearchKit.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Models;

/// <summary>A residual branch: x + branch(norm(x)).</summary>
internal abstract class T5Branch : Module
{
    // Not private: TorchSharp does not register private fields of a base class.
    private protected readonly RmsNorm layer_norm;
    private protected readonly Dropout dropout;

    /// <summary>Passes the input of the branch through its hook point: the residual stream before the norm.</summary>
    protected abstract Tensor Read(Tensor x);

    /// <summary>Passes the output of the branch through its hook point.</summary>
    protected abstract Tensor Written(Tensor x);

    protected T5Branch(string name, T5Config config) : base(name)
    {
        layer_norm = new RmsNorm(config.ModelWidth, config.NormEpsilon);
        dropout = Dropout(config.Dropout);
    }

    public Tensor Add(Tensor x, T5Pass pass)
    {
        using var scope = NewDisposeScope();
        return (x + Written(dropout.call(Branch(layer_norm.call(Read(x)), pass)))).MoveToOuterDisposeScope();
    }

    protected abstract Tensor Branch(Tensor x, T5Pass pass);
}

/// <summary>Self-attention.</summary>
internal sealed class T5SelfAttentionBranch : T5Branch
{
    private readonly T5Attention SelfAttention;
    private readonly HookPoint hook_attn_in = new(), hook_attn_out = new();   // [batch, time, channels]

    public T5SelfAttentionBranch(T5Config config, int index, bool isDecoder) : base(nameof(T5SelfAttentionBranch), config)
    {
        SelfAttention = new T5Attention(config, index, config.SelfAttentionHeads(isDecoder), hasPositions: index == 0,
            bidirectional: !isDecoder);
        RegisterComponents();
    }

    public Tensor ScoreBias(long queries, long keys) => SelfAttention.ScoreBias(queries, keys);

    protected override Tensor Read(Tensor x) => hook_attn_in.Pass(x);

    protected override Tensor Branch(Tensor x, T5Pass pass) => SelfAttention.Attend(x, pass);

    protected override Tensor Written(Tensor x) => hook_attn_out.Pass(x);
}

/// <summary>Cross-attention from the target text to the source text.</summary>
internal sealed class T5CrossAttentionBranch : T5Branch
{
    private readonly T5Attention EncDecAttention;
    private readonly HookPoint hook_cross_attn_in = new(), hook_cross_attn_out = new();   // [batch, time, channels]

    public T5CrossAttentionBranch(T5Config config, int index) : base(nameof(T5CrossAttentionBranch), config)
    {
        EncDecAttention = new T5Attention(config, index, config.CrossAttentionHeads.At(index, config.Heads), hasPositions: false);
        RegisterComponents();
    }

    protected override Tensor Read(Tensor x) => hook_cross_attn_in.Pass(x);

    protected override Tensor Branch(Tensor x, T5Pass pass) => EncDecAttention.AttendToSource(x, pass);

    protected override Tensor Written(Tensor x) => hook_cross_attn_out.Pass(x);
}

/// <summary>The MLP.</summary>
internal sealed class T5FeedForwardBranch : T5Branch
{
    private readonly T5FeedForward DenseReluDense;
    private readonly HookPoint hook_mlp_in = new(), hook_mlp_out = new();   // [batch, time, channels]

    public T5FeedForwardBranch(T5Config config, int width) : base(nameof(T5FeedForwardBranch), config)
    {
        DenseReluDense = new T5FeedForward(config, width);
        RegisterComponents();
    }

    protected override Tensor Read(Tensor x) => hook_mlp_in.Pass(x);

    protected override Tensor Branch(Tensor x, T5Pass pass) => DenseReluDense.call(x);

    protected override Tensor Written(Tensor x) => hook_mlp_out.Pass(x);
}

/// <summary>The MLP's layers: W activation(V x), or W (activation(V x) · U x) if gated.</summary>
internal sealed class T5FeedForward : Module<Tensor, Tensor>
{
    private readonly Dense? wi;           // not gated
    private readonly Dense? wi_0, wi_1;   // gated: input of the activation, and the gate
    private readonly Dense wo;
    private readonly Dropout dropout;
    private readonly HookPoint hook_pre = new(), hook_post = new();   // [batch, time, feed-forward channels]
    private readonly Activation activation;

    public T5FeedForward(T5Config config, int width) : base(nameof(T5FeedForward))
    {
        activation = config.Activation;
        Dense Inwards() => Initialization.Dense(config.ModelWidth, width, bias: false,
            Math.Pow(config.ModelWidth, -0.5));
        if (config.Gated)
        {
            wi_0 = Inwards();
            wi_1 = Inwards();
        }
        else
        {
            wi = Inwards();
        }
        wo = Initialization.Dense(width, config.ModelWidth, bias: false,
            Math.Pow(width, -0.5));
        dropout = Dropout(config.Dropout);
        RegisterComponents();
    }

    /// <summary>Whether the non-linearity is a ReLU, which positive factors pass through.</summary>
    internal bool IsRelu => activation == Activation.Relu;

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var inner = activation.Apply(hook_pre.Pass((wi ?? wi_0)!.call(x)));
        if (wi_1 is not null) inner = inner * wi_1.call(x);
        return wo.call(dropout.call(hook_post.Pass(inner))).MoveToOuterDisposeScope();
    }
}
