using System.Diagnostics;
using ResearchKit.Interpretability;
using ResearchKit.Results;
using ResearchKit.Tensors;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Attribution;

/// <summary>
/// How tokens mix their context: the value vectors of one token are set to zero in one layer, and the change of every token's
/// output of that layer is measured as a cosine distance.
/// </summary>
/// <remarks>Mohebbi et al., 2023, https://arxiv.org/abs/2301.12971.</remarks>
public static class ValueZeroing
{
    /// <summary>Measures every layer.</summary>
    /// <param name="model">A transformer whose layers have hook points for values and for their output.</param>
    /// <param name="tokens">int64 [1, time].</param>
    /// <param name="labels">Text of each token.</param>
    /// <param name="value">How the hook points of the values end.</param>
    /// <param name="output">How those of the layers' outputs end.</param>
    /// <param name="progress">Reports the share that is done.</param>
    /// <param name="cancellation">Stops between two layers.</param>
    /// <returns>
    /// A grid for each layer and last their product (rollout): a row for each token, and in it the share that each other token
    /// has in its context; rows sum to 1.
    /// </returns>
    /// <exception cref="ArgumentException">Not one text, other labels, or hook points that are missing.</exception>
    public static IReadOnlyList<Grid> Of(Module<Tensor, Tensor> model, Tensor tokens, IReadOnlyList<string> labels,
        string value = "hook_v", string output = "hook_resid_post", IProgress<double>? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(labels);
        if (tokens.dim() != 2 || tokens.shape[0] != 1 || tokens.shape[1] != labels.Count)
            throw new ArgumentException($"Got tokens {tokens.ShapeText()} and {labels.Count} labels; expected one text, [1, "
                + "time].");
        var clock = Stopwatch.StartNew();
        using var scope = NewDisposeScope();
        using var explained = new Explained(model, Target.From("0", "", logits => logits.flatten(1).sum(dim: 1)), tokens, 64);
        var values = explained.Places(name => name.EndsWith(value, StringComparison.Ordinal));
        var outputs = explained.Places(name => name.EndsWith(output, StringComparison.Ordinal));
        if (values.Count == 0 || values.Count != outputs.Count)
            throw new ArgumentException($"The model has {values.Count} hook points '{value}' and {outputs.Count} '{output}'; "
                + "expected as "
                + "many of both.");
        var time = labels.Count;
        var many = tokens.expand(time, time);   // one row for each token that is silenced
        Tensor? rollout = null;
        var grids = new List<Grid>();
        for (var layer = 0; layer < values.Count; layer++)
        {
            cancellation.ThrowIfCancellationRequested();
            using var inner = NewDisposeScope();
            var plain = explained.Activation(outputs[layer], tokens);
            var silenced = explained.With(found => ModulePlace.Hook(found, values[layer], Silence),
                () => explained.Activation(outputs[layer], many));   // [silenced, time, channels]
            var distance = (1 - functional.cosine_similarity(silenced, plain.expand_as(silenced), dim: -1)).clamp_min(0).t();
            var share = distance / distance.sum(dim: 1, keepdim: true).clamp_min(1e-12);
            rollout = (rollout is null ? share : share.matmul(rollout)).clone().MoveToOuterDisposeScope();
            grids.Add(Drawn($"value zeroing in layer {layer}", share, labels));
            progress?.Report((layer + 1.0) / values.Count);
        }
        var evidence = new Evidence { ForwardPasses = explained.ForwardPasses, Seconds = clock.Elapsed.TotalSeconds };
        return [.. grids, Drawn("value zeroing through all layers", rollout!, labels) with { Evidence = evidence }];
    }

    /// <summary>Sets the values of token r to zero in row r.</summary>
    private static Tensor Silence(Tensor values)   // [row, head, time, d_head]
    {
        using var scope = NewDisposeScope();
        var keep = 1 - eye(values.shape[0], values.shape[2], dtype: values.dtype, device: values.device);
        return (values * keep.unsqueeze(1).unsqueeze(-1)).MoveToOuterDisposeScope();
    }

    private static Grid Drawn(string title, Tensor share, IReadOnlyList<string> labels)
    {
        using var scope = NewDisposeScope();
        var flat = share.to(float64).cpu().contiguous().data<double>().ToArray();
        var cells = new double[labels.Count, labels.Count];
        Buffer.BlockCopy(flat, 0, cells, 0, sizeof(double) * flat.Length);
        return new Grid(title, "", labels, labels, cells) { RowAxis = "token", ColumnAxis = "its context" };
    }
}
