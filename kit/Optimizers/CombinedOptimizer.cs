using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Optimizers;

/// <summary>An optimizer for some of the parameters of a model.</summary>
/// <param name="Prefix">How the names of the parameters begin, such as <c>generator.</c>; empty for all the rest.</param>
/// <param name="Make">Creates the optimizer from these parameters.</param>
/// <param name="LearningRateFactor">Factor on the rate that the schedule sets.</param>
public sealed record OptimizerPart(
    string Prefix, Func<IEnumerable<(string Name, Parameter Parameter)>, Optimizer> Make, double LearningRateFactor = 1);

/// <summary>Several optimizers, each for its own parameters, that step together.</summary>
/// <remarks>
/// A parameter without a gradient is not updated, so that an objective that reaches only one part trains only that part: the two
/// networks of a GAN, an actor and its critic. <c>TrainerOptions.Optimizer = parameters =&gt; new CombinedOptimizer(parameters,
/// new("generator.", p =&gt; new FusedAdam(p)), new("discriminator.", p =&gt; new FusedAdam(p), 4))</c>.
/// </remarks>
public sealed class CombinedOptimizer : Optimizer
{
    private readonly List<(OptimizerPart Part, Optimizer Optimizer)> parts = [];

    /// <param name="parameters">The model's parameters; each belongs to the first part whose prefix fits.</param>
    /// <param name="parts">The parts.</param>
    /// <exception cref="ArgumentException">A parameter belongs to no part, or a part has no parameter.</exception>
    public CombinedOptimizer(IEnumerable<(string Name, Parameter Parameter)> parameters,
        params IReadOnlyList<OptimizerPart> parts)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        var left = parameters.ToList();
        foreach (var part in parts)
        {
            var own = left.Where(pair => pair.Name.StartsWith(part.Prefix, StringComparison.Ordinal)).ToList();
            if (own.Count == 0)
                throw new ArgumentException($"No parameter is left whose name begins with '{part.Prefix}'.", nameof(parts));
            left = [.. left.Except(own)];
            this.parts.Add((part, part.Make(own)));
        }
        if (left.Any(pair => pair.Parameter.requires_grad))
            throw new ArgumentException($"The parameter {left.First(pair => pair.Parameter.requires_grad).Name} belongs to no "
                + "part; "
                + $"the parts begin with {string.Join(", ", parts.Select(part => $"'{part.Prefix}'"))}.", nameof(parts));
    }

    /// <inheritdoc/>
    public override double LearningRate
    {
        get;
        set
        {
            field = value;
            foreach (var (part, optimizer) in parts) optimizer.LearningRate = value * part.LearningRateFactor;
        }
    }

    /// <inheritdoc/>
    public override string Name => string.Join(" + ", parts.Select(one => $"{one.Part.Prefix}{one.Optimizer.Name}"));

    /// <inheritdoc/>
    public override void Step()
    {
        foreach (var (_, optimizer) in parts) optimizer.Step();
    }

    /// <inheritdoc/>
    public override void ZeroGrad()
    {
        foreach (var (_, optimizer) in parts) optimizer.ZeroGrad();
    }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Tensor> State() => parts.SelectMany((one, number) => one.Optimizer.State()
        .Select(pair => KeyValuePair.Create($"{number}.{pair.Key}", pair.Value))).ToDictionary();

    /// <inheritdoc/>
    public override void Train()
    {
        foreach (var (_, optimizer) in parts) optimizer.Train();
    }

    /// <inheritdoc/>
    public override void Evaluate()
    {
        foreach (var (_, optimizer) in parts) optimizer.Evaluate();
    }

    /// <inheritdoc/>
    protected internal override void Loaded()
    {
        foreach (var (_, optimizer) in parts) optimizer.Loaded();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (!disposing) return;
        foreach (var (_, optimizer) in parts) optimizer.Dispose();
    }
}
