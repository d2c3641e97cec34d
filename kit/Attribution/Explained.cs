using ResearchKit.Interpretability;
using ResearchKit.Tensors;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Attribution;

/// <summary>
/// A model and a target as one function from an input to a score for each example; counts its passes, and leaves the model as it
/// was.
/// </summary>
/// <remarks>
/// Methods ask it many variants of the same examples at once. Their rows are variant by variant: row r is a variant of example
/// r mod n, which is the order that targets expect.
/// </remarks>
internal sealed class Explained : IDisposable
{
    private readonly Module<Tensor, Tensor> model;
    private readonly Target target;
    private readonly int batchSize;
    private readonly IProgress<double>? progress;
    private readonly CancellationToken cancellation;
    private readonly bool wasTraining;
    private readonly double[] scores;

    public Explained(Module<Tensor, Tensor> model, Target target, Tensor input, int batchSize,
        IProgress<double>? progress = null, CancellationToken cancellation = default)
    {
        (this.model, this.target, this.batchSize) = (model, target, batchSize);
        (this.progress, this.cancellation) = (progress, cancellation);
        if (input.dim() < 2 || input.shape[0] < 1)
            throw new ArgumentException($"Got an input {input.ShapeText()}; expected [batch, ...] with at least one example.",
                nameof(input));
        if (input.is_floating_point() && !input.isfinite().all().item<bool>())
            throw new ArgumentException("The input has a value that is not finite.", nameof(input));
        Input = input.detach();
        wasTraining = model.training;
        model.eval();
        try
        {
            scores = Plain(Scores(Input));
            CheckExamplesAreApart();
        }
        catch
        {
            model.train(wasTraining);
            throw;
        }
    }

    /// <summary>The input, without gradient.</summary>
    public Tensor Input { get; }

    /// <summary>Examples of the batch.</summary>
    public int Examples => (int)Input.shape[0];

    public int ForwardPasses { get; private set; }

    public int BackwardPasses { get; private set; }

    /// <summary>Variants of the examples that one pass takes.</summary>
    public int VariantsAPass => Math.Max(1, batchSize / Examples);

    /// <summary>The target of each example.</summary>
    public IReadOnlyList<double> Numbers() => scores;

    /// <summary>Computes the score of each row, without gradient.</summary>
    /// <param name="rows">[variants * n, ...].</param>
    /// <returns>[variants * n].</returns>
    public Tensor Scores(Tensor rows)
    {
        using var noGrad = no_grad();
        return Forward(rows);
    }

    /// <summary>Computes the scores of many variants, as many at once as a pass takes.</summary>
    /// <param name="variants">How many there are.</param>
    /// <param name="make">Makes the rows of the variants from a number up to another, [count * n, ...].</param>
    /// <returns>[variants, n].</returns>
    public Tensor ScoresOf(int variants, Func<int, int, Tensor> make)
    {
        using var scope = NewDisposeScope();
        var parts = new List<Tensor>();
        InParts(variants, (from, to) => parts.Add(Scores(make(from, to)).view(to - from, Examples)));
        return cat(parts).MoveToOuterDisposeScope();
    }

    /// <summary>Runs an action on the variants, as many at once as a pass takes; each in a dispose scope of its own.</summary>
    /// <param name="variants">How many there are.</param>
    /// <param name="act">Takes the first variant and the one after the last. The tensors that it makes and needs later are moved
    /// out.</param>
    public void InParts(int variants, Action<int, int> act)
    {
        for (var from = 0; from < variants; from += VariantsAPass)
        {
            var to = Math.Min(variants, from + VariantsAPass);
            act(from, to);
            progress?.Report((double)to / variants);
        }
    }

    /// <summary>Computes the scores of rows and the gradient of their sum at the input.</summary>
    /// <param name="rows">[variants * n, ...] of a floating-point type.</param>
    /// <exception cref="ArgumentException">The input has no gradient, as tokens do not.</exception>
    public (Tensor Scores, Tensor Gradient) Gradient(Tensor rows)
    {
        if (!rows.is_floating_point())
            throw new ArgumentException($"The input is {rows.dtype}, which has no gradient; name a layer of the model "
                + "that reads it, such as the embedding, as the place to attribute to (At).");
        var leaf = rows.detach().requires_grad_();
        var result = Forward(leaf);
        return (result.detach(), Backward(result.sum(), [leaf])[0]);
    }

    /// <summary>Returns the output of a named module, without gradient.</summary>
    /// <param name="at">Name of the module.</param>
    /// <param name="rows">[variants * n, ...].</param>
    public Tensor Activation(string at, Tensor rows)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        Tensor? seen = null;
        using (Watch(at, output =>
        {
            seen ??= output.detach().clone().MoveToOtherDisposeScope(scope);   // the model's own scopes end before
            return output;
        })) Forward(rows);
        return (seen ?? throw NotRun(at)).MoveToOuterDisposeScope();
    }

    /// <summary>Computes the scores and the gradient of their sum at the output of a named module.</summary>
    /// <param name="at">Name of the module.</param>
    /// <param name="rows">[variants * n, ...].</param>
    /// <param name="replacement">What the module returns instead; null for its own output.</param>
    public (Tensor Scores, Tensor Activation, Tensor Gradient) GradientAt(string at, Tensor rows, Tensor? replacement = null)
    {
        using var scope = NewDisposeScope();
        Tensor? leaf = null;
        Tensor result;
        using (Watch(at, output => leaf is null ? (leaf = Leaf(replacement ?? output, scope)).alias() : output))
            result = Forward(rows);
        if (leaf is null) throw NotRun(at);
        var gradient = Backward(result.sum(), [leaf])[0];
        return (result.detach().MoveToOuterDisposeScope(), leaf.detach().MoveToOuterDisposeScope(),
            gradient.MoveToOuterDisposeScope());
    }

    /// <summary>
    /// Computes the gradient of the score at one neuron of a layer, and that of the neuron at the input.
    /// </summary>
    /// <param name="at">Name of the module.</param>
    /// <param name="rows">[variants * n, ...] of a floating-point type.</param>
    /// <param name="neuron">Index of the neuron in the output of an example.</param>
    /// <returns>[variants * n] and [variants * n, ...].</returns>
    public (Tensor OfScore, Tensor OfNeuron) NeuronGradients(string at, Tensor rows, IReadOnlyList<long> neuron)
    {
        using var scope = NewDisposeScope();
        var leaf = rows.detach().requires_grad_();
        Tensor? seen = null, behind = null;   // two graphs: from the input to the layer, and from the layer to the score
        Tensor result;
        using (Watch(at, output =>
        {
            seen = output.alias().MoveToOtherDisposeScope(scope);
            return (behind = Leaf(output, scope)).alias();
        })) result = Forward(leaf);
        if (seen is null) throw NotRun(at);
        var ofScore = Backward(result.sum(), [behind!])[0];
        return (Select(ofScore, neuron).MoveToOuterDisposeScope(),
            Backward(Select(seen, neuron).sum(), [leaf])[0].MoveToOuterDisposeScope());
    }

    /// <summary>Takes one entry of each example.</summary>
    public static Tensor Select(Tensor values, IReadOnlyList<long> neuron)
    {
        if (neuron.Count != values.dim() - 1
            || neuron.Zip(values.shape.Skip(1)).Any(pair => pair.First < 0 || pair.First >= pair.Second))
            throw new ArgumentException($"Neuron [{string.Join(", ", neuron)}] does not lie in a layer of {values.ShapeText()}.");
        foreach (var index in neuron) values = values.select(1, index);
        return values;
    }

    /// <summary>
    /// Names of the modules with one input and one output that a filter chooses, in the order of the module tree.
    /// </summary>
    public IReadOnlyList<string> Places(Func<string, bool> filter) => [.. model.named_modules()
        .Where(pair => pair.module is Module<Tensor, Tensor> && filter(pair.name)).Select(pair => pair.name)];

    /// <summary>Runs the model and returns what it returns, without gradient.</summary>
    public Tensor Output(Tensor rows)
    {
        cancellation.ThrowIfCancellationRequested();
        ForwardPasses++;
        using var noGrad = no_grad();
        return model.call(rows);
    }

    /// <summary>Runs an action while the model's own layers compute something else.</summary>
    public T With<T>(Func<nn.Module, IDisposable> change, Func<T> run)
    {
        using (change(model)) return run();
    }

    /// <summary>A backward pass, counted.</summary>
    public IReadOnlyList<Tensor> Backward(Tensor output, IReadOnlyList<Tensor> inputs)
    {
        cancellation.ThrowIfCancellationRequested();
        BackwardPasses++;
        return GuardedGrad.Grad(output, inputs);
    }

    public void Dispose() => model.train(wasTraining);

    private Tensor Forward(Tensor rows)
    {
        cancellation.ThrowIfCancellationRequested();
        ForwardPasses++;
        using var scope = NewDisposeScope();
        return target.Of(model.call(rows)).MoveToOuterDisposeScope();
    }

    private static Tensor Leaf(Tensor value, DisposeScope scope) =>
        value.detach().clone().requires_grad_().MoveToOtherDisposeScope(scope);

    private IDisposable Watch(string at, Func<Tensor, Tensor> see) => ModulePlace.Hook(model, at, see);

    private static ArgumentException NotRun(string at) => new($"'{at}' did not run in the forward pass of the model.");

    /// <summary>Explanations take many variants of an example in one batch, which must not change each other.</summary>
    private void CheckExamplesAreApart()
    {
        if (scores.FirstOrDefault(score => !double.IsFinite(score)) is var bad && !double.IsFinite(bad))
            throw new ArgumentException($"The target '{target.Name}' is {bad}; expected a finite number.");
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var twice = Plain(Scores(cat([Input, zeros_like(Input)])));
        for (var example = 0; example < Examples; example++)
            if (Math.Abs(twice[example] - scores[example]) > 1e-3 * Math.Max(1, Math.Abs(scores[example])))
                throw new ArgumentException($"The model mixes the examples of a batch: the score of example {example} is "
                    + $"{scores[example]:g4}, and {twice[example]:g4} beside others; an explanation needs a model that does "
                        + "not.");
    }

    private static double[] Plain(Tensor values)
    {
        using var scope = NewDisposeScope();
        return values.detach().to(float64).cpu().data<double>().ToArray();
    }
}
