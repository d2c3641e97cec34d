using ResearchKit.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>Folds a rotation of the residual stream into the modules that write and read it, in place.</summary>
/// <remarks>Rows are vectors: the stream x becomes x Q. Sums are in float64.</remarks>
internal sealed class ResidualRotation
{
    private readonly Dictionary<string, nn.Module> modules;
    private readonly Dictionary<string, Parameter> parameters;
    private readonly Tensor rotation;
    private readonly bool isCentred;

    /// <param name="model">The model; its head has a weight of its own.</param>
    /// <param name="rotation">Q, orthogonal float64 [channels, channels].</param>
    /// <param name="isCentred">Whether norms subtract the mean, so that what is written can have mean zero.</param>
    public ResidualRotation(nn.Module model, Tensor rotation, bool isCentred)
    {
        modules = model.named_modules().ToDictionary(pair => pair.name, pair => pair.module);
        parameters = model.named_parameters().ToDictionary(pair => pair.name, pair => pair.parameter);
        this.rotation = rotation;
        this.isCentred = isCentred;
    }

    /// <summary>Folds into a table whose rows are added to the stream.</summary>
    public void Table(string name)
    {
        using var scope = NewDisposeScope();
        Written(parameters[name]);
    }

    /// <summary>Folds into a linear layer that adds to the stream.</summary>
    public void Write(string layer)
    {
        using var scope = NewDisposeScope();
        var matrix = Linear(layer).Matrix();
        Written(matrix.t());
        if (parameters.TryGetValue($"{layer}.bias", out var bias)) Written(bias);
    }

    /// <summary>Folds into the layers that read the stream through a norm; the norm keeps no gains and biases.</summary>
    public void Read(string norm, params string[] layers)
    {
        using var scope = NewDisposeScope();
        var (gains, biases) = Norm(norm);
        foreach (var layer in layers)
        {
            var matrix = Linear(layer).Matrix();
            var wide = matrix.to(ScalarType.Float64);
            if (biases is not null)
                (parameters.GetValueOrDefault($"{layer}.bias") ?? throw new ArgumentException(
                    $"{layer} has no bias that could take that of {norm}.")).add_(wide.matmul(biases.to(ScalarType.Float64)));
            matrix.copy_((wide * gains).matmul(rotation));
        }
        gains.fill_(1);
        biases?.zero_();
    }

    /// <summary>Folds into a head without a bias; the last norm keeps a bias.</summary>
    public void Head(string norm, string head)
    {
        using var scope = NewDisposeScope();
        var (gains, biases) = Norm(norm);
        var matrix = Linear(head).Matrix();
        if (biases is not null)
        {
            if ((gains.abs() <= gains.abs().max() * 1e-6).logical_and(biases != 0).any().item<bool>())
                throw new ArgumentException($"{norm} has a gain of zero, so its bias cannot be rotated.");
            var shares = (biases.to(ScalarType.Float64) / gains).masked_fill(biases == 0, 0);
            biases.copy_(shares.matmul(rotation));
        }
        matrix.copy_((matrix.to(ScalarType.Float64) * gains).matmul(rotation));
        gains.fill_(1);
    }

    /// <summary>Rotates the values of every head, and the inputs of the layer that reads them.</summary>
    /// <param name="producer">The layer whose outputs from <paramref name="firstRow"/> on are the values.</param>
    /// <param name="firstRow">Its first value.</param>
    /// <param name="consumer">The output layer of attention.</param>
    /// <param name="headWidth">Channels of a head.</param>
    public void Values(string producer, long firstRow, string consumer, int headWidth)
    {
        if (!Hadamard.Exists(headWidth)) return;
        using var scope = NewDisposeScope();
        var turn = (Hadamard.Matrix(headWidth).to(ScalarType.Float64) / Math.Sqrt(headWidth)).to(rotation.device);
        var values = Linear(producer).Matrix();
        values = values.narrow(0, firstRow, values.shape[0] - firstRow);
        values.copy_(turn.t().matmul(values.to(ScalarType.Float64).view(-1, headWidth, values.shape[1])).view(values.shape));
        if (parameters.TryGetValue($"{producer}.bias", out var bias))
        {
            var part = bias.narrow(0, firstRow, values.shape[0]);
            part.copy_(part.to(ScalarType.Float64).view(-1, headWidth).matmul(turn).flatten());
        }
        var reader = Linear(consumer).Matrix();
        reader.copy_(reader.to(ScalarType.Float64).reshape(reader.shape[0], -1, headWidth).matmul(turn).reshape(reader.shape));
    }

    /// <summary>Rotates vectors along the last axis, after their mean is taken out where norms do so.</summary>
    private void Written(Tensor vectors)
    {
        var wide = vectors.to(ScalarType.Float64);
        if (isCentred) wide = wide - wide.mean([-1L], keepdim: true);
        vectors.copy_(wide.matmul(rotation));
    }

    private (Parameter Gains, Parameter? Biases) Norm(string name) =>
        (parameters[$"{name}.weight"], parameters.GetValueOrDefault($"{name}.bias"));

    private IAdaptableLayer Linear(string name) => (IAdaptableLayer)modules[name];
}
