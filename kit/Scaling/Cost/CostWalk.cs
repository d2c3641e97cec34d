using ResearchKit.Layers;
using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Scaling;

/// <summary>Turns the summary of a module and its calls into costs.</summary>
internal static class CostWalk
{
    /// <summary>Names of output layers at the root of published models.</summary>
    private static readonly HashSet<string> Heads =
        ["lm_head", "head", "heads", "classifier", "fc", "score", "cls", "qa_outputs", "output_layer", "readout"];

    /// <param name="model">The model.</param>
    /// <param name="calls">What its modules computed.</param>
    public static ModelCost Of(nn.Module model, IReadOnlyDictionary<nn.Module, ModuleCall> calls) =>
        Visit(new ModuleSummaryWalk(calls).Visit("", model), model, isHead: false, depth: 0);

    private static ModelCost Visit(ModuleSummary summary, nn.Module module, bool isHead, int depth)
    {
        var modules = module.named_children().ToList();
        var children = summary.Children.Zip(modules).Select(pair =>
            Visit(pair.First, pair.Second.module, isHead || (depth < 2 && IsHead(pair.First.Name, pair.Second.module)), depth
                + 1)).ToList();
        var own = Own(summary, module, isHead);
        // a model that is only called through a method of its own has no call; its parts have
        var operations = summary.Call?.Operations
            ?? children.Aggregate(new OperationCounts(), (sum, child) => sum + child.Operations);
        var inside = children.Aggregate(new OperationCounts(), (sum, child) => sum + child.Operations);
        if (summary.Call is not null) Attribute(children, summary, operations - inside);
        var head = isHead ? operations.Linear : children.Sum(child => child.HeadOperations);
        if (depth == 0 && TiedHead(module)) head += operations.Linear - inside.Linear;
        return new ModelCost(summary.Name, summary.Type, children.Aggregate(own, (sum, child) => sum + child.Parameters),
            operations,
            summary.Call?.OutputShape ?? [], children)
        {
            HeadOperations = head,
            WeightBytes = summary.Bytes,
        };
    }

    /// <summary>
    /// Gives attention that a module computed outside of its called children to the one child that was run by a method of
    /// its own.
    /// </summary>
    private static void Attribute(List<ModelCost> children, ModuleSummary summary, OperationCounts rest)
    {
        if (rest.Attention == 0) return;
        var uncalled = Enumerable.Range(0, children.Count)
            .Where(index => summary.Children[index] is { Call: null, ParameterCount: > 0 }).ToList();
        if (uncalled is not [var only]) return;
        children[only] = children[only] with { Operations = children[only].Operations + rest };
    }

    /// <summary>Whether a module is an output layer: by its name, and not a recurrent or convolution part.</summary>
    private static bool IsHead(string name, nn.Module module) => Heads.Contains(name)
        && (module is Dense or Linear || module.children().Any());

    /// <summary>Whether the model multiplies by its embeddings at the end, outside of any submodule.</summary>
    private static bool TiedHead(nn.Module model) => model.modules().Any(module => module is EmbeddingTable { Unembeds: true });

    private static ParameterCounts Own(ModuleSummary summary, nn.Module module, bool isHead)
    {
        long embedding = 0, matrices = 0, head = 0, norms = 0, biases = 0;
        foreach (var tensor in summary.Own.Where(tensor => !tensor.IsShared))
            if (IsTable(module)) embedding += tensor.Count;
            else if (IsNorm(module)) norms += tensor.Count;
            else if (isHead && tensor.Shape.Count >= 2) head += tensor.Count;
            else if (tensor.Shape.Count >= 2) matrices += tensor.Count;
            else biases += tensor.Count;
        return new(embedding, matrices, head, norms, biases)
        {
            Trainable = summary.Own.Where(tensor => tensor is { IsShared: false, IsTrainable: true }).Sum(tensor => tensor.Count),
            Shared = summary.Own.Where(tensor => tensor.IsShared).Sum(tensor => tensor.Count),
            Buffers = summary.Buffers.Where(tensor => !tensor.IsShared).Sum(tensor => tensor.Count),
        };
    }

    private static bool IsTable(nn.Module module) => module is EmbeddingTable or Embedding or PositionalEncoding
        || module.GetType().Name.Contains("Embeddings", StringComparison.Ordinal);

    private static bool IsNorm(nn.Module module) => module is LayerNorm or GroupNorm or RmsNorm
        || module.GetType().Name.Contains("Norm", StringComparison.Ordinal);
}
