using ResearchKit.Models;
using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Interpretability;

/// <summary>
/// Tuned lens: an affine map for each layer, h + A h + b, trained so that the decoded distribution is that of the whole model.
/// </summary>
/// <remarks>
/// Belrose et al., 2023, https://arxiv.org/abs/2303.08112. A and b begin at zero, where it is the logit lens. It is a module, so
/// that <c>save</c> and <c>load</c> keep it.
/// </remarks>
public sealed class TunedLens : Module<Tensor, Tensor>, ILens
{
    private readonly Parameter weight;   // [layer, channels, channels]
    private readonly Parameter bias;     // [layer, channels]

    /// <param name="model">A transformer of the kit; the lens is put on its device.</param>
    /// <exception cref="ArgumentException">The model is not a transformer of the kit.</exception>
    public TunedLens(nn.Module model) : base(nameof(TunedLens))
    {
        var parts = TransformerParts.Of(model);
        var like = parts.Layers[0].Branches[0].Weight;
        var width = like.shape[1];
        weight = Parameter(zeros([parts.Layers.Count, width, width], like.dtype, like.device));
        bias = Parameter(zeros([parts.Layers.Count, width], like.dtype, like.device));
        RegisterComponents();
    }

    /// <inheritdoc/>
    public string Name => "tuned lens";

    /// <summary>Translates the embeddings, the stream before the first layer.</summary>
    /// <param name="stream">[..., channels].</param>
    /// <returns>[..., channels].</returns>
    public override Tensor forward(Tensor stream) => Translate(0, stream);

    /// <inheritdoc/>
    public Tensor Translate(int layers, Tensor stream)
    {
        if (layers == weight.shape[0]) return stream.alias();
        using var scope = NewDisposeScope();
        return (stream + stream.matmul(weight[layers]) + bias[layers]).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Trains all layers at once to the smallest Kullback-Leibler divergence from the model's own output, with Adam and a linear
    /// decay of the learning rate. The model does not change.
    /// </summary>
    /// <param name="model">The model that the lens was made for.</param>
    /// <param name="batches">Inputs of the model, int64 [batch, time], one for each step; they repeat if there are fewer.</param>
    /// <param name="steps">Number of steps.</param>
    /// <param name="learningRate">Learning rate of the first step.</param>
    /// <param name="progress">Receives the mean divergence of all layers after each step, in nats.</param>
    /// <param name="cancellation">Ends the training between steps.</param>
    /// <exception cref="ArgumentException">There is no batch, or a number is out of range.</exception>
    public void Train(Module<Tensor, Tensor> model, IReadOnlyList<Tensor> batches, int steps = 250, double learningRate = 1e-3,
        IProgress<double>? progress = null, CancellationToken cancellation = default)
    {
        Require.AtLeast(1, steps);
        Require.Positive(learningRate);
        Require.AtLeast(1, batches.Count);
        using var evaluation = new EvaluationMode(model);
        var frozen = model.parameters().Where(parameter => parameter.requires_grad).ToList();
        foreach (var parameter in frozen) parameter.requires_grad = false;
        using var optimizer = optim.Adam(parameters(), learningRate);
        try
        {
            for (var step = 0; step < steps; step++)
            {
                cancellation.ThrowIfCancellationRequested();
                foreach (var group in optimizer.ParamGroups) group.LearningRate = learningRate * (1 - ((double)step / steps));
                var divergence = Step(model, batches[step % batches.Count], optimizer);
                progress?.Report(divergence);
            }
        }
        finally
        {
            foreach (var parameter in frozen) parameter.requires_grad = true;
        }
    }

    private double Step(Module<Tensor, Tensor> model, Tensor batch, optim.Optimizer optimizer)
    {
        using var scope = NewDisposeScope();
        var parts = TransformerParts.Of(model);
        using var streams = Lenses.Streams(model, parts, batch);
        var wanted = parts.Decode(streams[parts.Layers[^1].End]).log_softmax(-1).detach();
        var losses = parts.Layers.Select(layer => Lenses.Divergence(
            wanted, parts.Decode(Translate(layer.Index, streams[layer.Begin])))).ToList();
        var loss = stack(losses).mean();
        optimizer.zero_grad();
        loss.backward();
        optimizer.step();
        return loss.to(float64).item<double>();
    }
}
