using System.Globalization;
using ResearchKit.Layers;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Scaling;

/// <summary>What a module costs: its parameters and the operations of a forward and a backward pass, with those of its
/// submodules.</summary>
/// <param name="Name">Its name within its parent; empty for the root.</param>
/// <param name="Type">Name of its class.</param>
/// <param name="Parameters">Its parameters, those of its submodules included.</param>
/// <param name="Operations">
/// FLOPs of one pass over the whole input, those of its submodules included; zero if it was not called as a module.
/// </param>
/// <param name="OutputShape">Shape of its last output; empty if that is not one tensor.</param>
/// <param name="Children">Its submodules, in the order of registration.</param>
public sealed record ModelCost(string Name, string Type, ParameterCounts Parameters, OperationCounts Operations,
    IReadOnlyList<long> OutputShape, IReadOnlyList<ModelCost> Children)
{
    /// <summary>Number of tokens or examples of the input that the operations are for.</summary>
    public long Positions { get; init; } = 1;

    /// <summary>Operations of the output layer; they are part of <see cref="OperationCounts.Linear"/>.</summary>
    public double HeadOperations { get; init; }

    /// <summary>Bytes of the parameters and buffers.</summary>
    public long WeightBytes { get; init; }

    /// <summary>What generating tokens costs; null for models that do not generate.</summary>
    public GenerationCost? Generation { get; init; }

    /// <summary>Operations for each token or example of the input.</summary>
    public OperationCounts OperationsPerPosition => Operations * (1.0 / Positions);

    /// <summary>
    /// Operations of training on a number of tokens, 6 N D as it is often estimated, here with attention and the parts that a
    /// backward pass leaves out.
    /// </summary>
    /// <param name="positions">Number of tokens or examples, repetitions included.</param>
    public double TrainingOperations(double positions) => Operations.Training / Positions * positions;

    /// <summary>Finds a submodule by its path, such as <c>h.0.attn</c>.</summary>
    /// <exception cref="KeyNotFoundException">There is no such submodule; the message lists those there are.</exception>
    public ModelCost At(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        var cost = this;
        foreach (var name in path.Split('.'))
            cost = cost.Children.FirstOrDefault(child => child.Name == name) ?? throw new KeyNotFoundException(
                $"There is no module '{path}'; {(cost.Name.Length == 0 ? "the model" : cost.Name)} has "
                + $"{string.Join(", ", cost.Children.Select(child => child.Name))}.");
        return cost;
    }

    /// <summary>Computes what a model costs that is created for it on the meta device, where it takes no memory.</summary>
    /// <param name="make">Creates the model, such as <c>() =&gt; new Gpt(GptConfig.Gpt2)</c>.</param>
    /// <param name="inputShape">Shape of the input, such as [1, 1024] for tokens or [1, 3, 224, 224] for images.</param>
    /// <exception cref="InvalidOperationException">A module cannot run on the meta device; the message names it.</exception>
    public static ModelCost Of(Func<nn.Module<Tensor, Tensor>> make, params IReadOnlyList<long> inputShape)
    {
        ArgumentNullException.ThrowIfNull(make);
        using var model = MetaInitialization.Make(make);
        return Of(model, inputShape);
    }

    /// <summary>Computes what a model costs for an input of a shape.</summary>
    /// <param name="model">The model, on any device; only shapes matter.</param>
    /// <param name="inputShape">
    /// Shape of the input: two axes are tokens [batch, time] of a model with embeddings, others numbers.
    /// </param>
    /// <inheritdoc cref="Of(nn.Module, Action, long)" path="/exception"/>
    public static ModelCost Of(nn.Module<Tensor, Tensor> model, params IReadOnlyList<long> inputShape)
    {
        ArgumentNullException.ThrowIfNull(model);
        using var scope = NewDisposeScope();
        var input = ExampleInput.Zeros(model, inputShape);
        return Of(model, () => model.call(input), ExampleInput.Positions(input));
    }

    /// <summary>Computes what a model costs for an input.</summary>
    /// <param name="model">The model, on any device; only shapes matter.</param>
    /// <param name="example">The input, on the model's device.</param>
    /// <inheritdoc cref="Of(nn.Module, Action, long)" path="/exception"/>
    public static ModelCost Of(nn.Module<Tensor, Tensor> model, Tensor example)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(example);
        return Of(model, () => model.call(example), ExampleInput.Positions(example));
    }

    /// <summary>Computes what a model costs for a forward pass of several inputs.</summary>
    /// <param name="model">The model, on any device; only shapes matter. It runs in evaluation mode.</param>
    /// <param name="forward">Runs it on this thread, such as <c>() =&gt; model.Logits(tokens, mask)</c>.</param>
    /// <param name="positions">Number of tokens or examples of the input.</param>
    /// <exception cref="InvalidOperationException">A module cannot run, on the meta device for example; the message names
    /// it.</exception>
    public static ModelCost Of(nn.Module model, Action forward, long positions)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(forward);
        ArgumentOutOfRangeException.ThrowIfLessThan(positions, 1);
        var root = CostWalk.Of(model, ModuleCalls.Differentiable(model, forward, training: false));
        return root with { Positions = positions, Generation = GenerationCost.Of(model) };
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Type}: {Parameters}; {Operations}; {OperationsPerPosition.Forward:N0} FLOPs forward for each of {Positions:N0} positions ({OperationsPerPosition.CausalForward:N0} causal)");
}

/// <summary>Example inputs of models.</summary>
internal static class ExampleInput
{
    /// <summary>
    /// Zeros on the model's device: int64 tokens for two axes and a model that begins with a table, else float32.
    /// </summary>
    public static Tensor Zeros(nn.Module model, IReadOnlyList<long> shape)
    {
        ArgumentNullException.ThrowIfNull(shape);
        if (shape.Count == 0)
            throw new ArgumentException("The input has no axis; expected a shape such as [1, 128].", nameof(shape));
        var first = model.parameters().FirstOrDefault();
        var readsTokens = shape.Count <= 2 && model.modules().Any(module =>
            module is EmbeddingTable or TorchSharp.Modules.Embedding);
        return zeros([.. shape], readsTokens ? int64 : first?.dtype ?? float32, first?.device);
    }

    /// <summary>Number of tokens [batch, time], or of examples for other inputs.</summary>
    public static long Positions(Tensor input) => input.dim() == 0 ? 1
        : input.is_floating_point() ? input.shape[0] : input.numel();
}
