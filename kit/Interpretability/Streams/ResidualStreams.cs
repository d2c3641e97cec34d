using System.Diagnostics;
using ResearchKit.Models;
using ResearchKit.Results;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Interpretability;

/// <summary>Takes the residual stream of a transformer apart.</summary>
public static class ResidualStreams
{
    private const double Tolerance = 1e-5;

    /// <summary>
    /// Runs a model once and takes its residual stream apart: by embedding, head, attention bias, MLP neurons and MLP bias.
    /// </summary>
    /// <param name="model">A Gpt, Llama, Vit or Bert, with or without a head.</param>
    /// <param name="input">Its input, such as tokens, int64 [batch, time].</param>
    /// <param name="layers">Number of layers whose output is taken apart; null for all.</param>
    /// <returns>The parts; the caller disposes it.</returns>
    /// <exception cref="ArgumentException">
    /// The model is not a transformer of the kit, there are fewer layers, or an activation is NaN or infinite.
    /// </exception>
    public static ResidualDecomposition Decompose(this Module<Tensor, Tensor> model, Tensor input, int? layers = null) =>
        Take(model, layers, options => model.Record(input, options));

    /// <inheritdoc cref="Decompose(Module{Tensor, Tensor}, Tensor, int?)"/>
    /// <param name="model">The model; its decoder is taken apart.</param>
    /// <param name="source">Source text, int64 [batch, source time].</param>
    /// <param name="written">Target text so far, int64 [batch, time], beginning with the start token.</param>
    /// <param name="layers">Number of layers whose output is taken apart; null for all.</param>
    public static ResidualDecomposition Decompose(this T5 model, Tensor source, Tensor written, int? layers = null) =>
        Take(model, layers, options => model.Record(source, written, options));

    private static ResidualDecomposition Take(nn.Module model, int? layers, Func<RecordingOptions, ActivationCache> record)
    {
        var watch = Stopwatch.StartNew();
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var parts = TransformerParts.Of(model);
        var count = layers ?? parts.Layers.Count;
        if (count < 1 || count > parts.Layers.Count)
            throw new ArgumentException($"Got {count} layers; the model has {parts.Layers.Count}.", nameof(layers));
        var recording = record(new RecordingOptions { Names = Watched(parts) });
        try
        {
            var chosen = parts.Layers.Take(count).ToList();
            var components = Components(parts, chosen, recording);
            var stream = Activations.Finite(recording[chosen[^1].End], chosen[^1].End);
            return new ResidualDecomposition(parts, recording, components, stream, new Evidence
            {
                Law = "the parts sum to the residual stream",
                Tolerance = Tolerance,
                ForwardPasses = 1,
                Seconds = watch.Elapsed.TotalSeconds,
                PeakBytes = recording.Bytes + components.Sum(component => component.Value.numel() * sizeof(double)),
            });
        }
        catch
        {
            recording.Dispose();
            throw;
        }
    }

    private static List<string> Watched(TransformerParts parts)
    {
        var names = parts.Embeddings.Select(embedding => embedding.Place).ToList();
        foreach (var layer in parts.Layers)
        {
            names.Add(layer.End);
            foreach (var branch in layer.Branches)
            {
                names.Add(branch.Inner);
                if (parts.IsPostNorm) names.Add($"{branch.Norm}.hook_scale");
            }
        }
        if (parts.EmbeddingNorm is { } norm) names.Add($"{norm}.hook_scale");
        if (parts.FinalNorm is { } final) names.Add($"{final}.hook_scale");
        return names;
    }

    private static List<(string Label, Tensor Value)> Components(
        TransformerParts parts, IReadOnlyList<LayerParts> layers, ActivationCache recording)
    {
        var components = new List<(string Label, Tensor Value)>();
        foreach (var (label, place) in parts.Embeddings) components.Add((label, recording[place].to(float64)));
        if (parts.EmbeddingNorm is { } norm) components = Normalized(parts, components, norm, "embedding norm bias", recording);
        foreach (var layer in layers)
        {
            foreach (var branch in layer.Branches)
            {
                components.AddRange(Written(parts, layer, branch, recording));
                if (parts.IsPostNorm)
                    components = Normalized(parts, components, branch.Norm!, $"{branch.Label} norm bias", recording);
            }
        }
        return components;
    }

    private static IEnumerable<(string Label, Tensor Value)> Written(
        TransformerParts parts, LayerParts layer, BranchParts branch, ActivationCache recording)
    {
        var inner = recording[branch.Inner].to(float64);
        var weight = branch.Weight.detach().to(float64);
        if (branch.IsAttention)
        {
            var width = weight.shape[0] / parts.Heads;
            var cross = branch.Label.EndsWith("cross-attention", StringComparison.Ordinal) ? " cross" : "";
            for (var head = 0; head < parts.Heads; head++)      // inner: [batch, head, time, d_head]
                yield return ($"layer {layer.Index}{cross} head {head}",
                    inner.select(1, head).matmul(weight.narrow(0, head * width, width)));
        }
        else
        {
            yield return ($"{branch.Label} neurons", inner.matmul(weight));
        }
        if (branch.Bias is { } bias)
        {
            var (batch, time) = branch.IsAttention ? (inner.shape[0], inner.shape[2]) : (inner.shape[0], inner.shape[1]);
            yield return ($"{branch.Label} bias", bias.detach().to(float64).expand(batch, time, -1));
        }
    }

    /// <summary>All parts after a norm with its recorded scale, and its bias as a new part.</summary>
    private static List<(string Label, Tensor Value)> Normalized(TransformerParts parts,
        List<(string Label, Tensor Value)> components, string norm, string label, ActivationCache recording)
    {
        var (weight, bias) = parts.NormWeights(norm);
        var scale = recording[$"{norm}.hook_scale"].to(float64);
        var after = components.ConvertAll(component =>
            (component.Label, DecomposedNorm.Apply(component.Value, scale, weight.detach(), bias)));
        if (bias is not null) after.Add((label, bias.detach().to(float64).expand(components[0].Value.shape)));
        return after;
    }
}
