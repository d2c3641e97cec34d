using ResearchKit.Optimizers;
using ResearchKit.Training;
using Parameter = TorchSharp.Modules.Parameter;

namespace ResearchKit.Distributed;

/// <summary>Any optimizer of the kit with its state spread over processes: <c>new ShardedOptions(new FusedAdamWOptions { … }, workers)</c>.</summary>
/// <remarks>See <see cref="ShardedOptimizer"/>. The settings that all optimizers have are those of the optimizer it is made of.</remarks>
public sealed record ShardedOptions : OptimizerOptions
{
    private readonly OptimizerOptions each;
    private readonly IWorkers workers;

    /// <param name="each">Which optimizer, and its settings.</param>
    /// <param name="workers">The processes.</param>
    public ShardedOptions(OptimizerOptions each, IWorkers workers)
    {
        ArgumentNullException.ThrowIfNull(each);
        ArgumentNullException.ThrowIfNull(workers);
        (this.each, this.workers) = (each, workers);
        (LearningRate, WeightDecay, Decays, Groups) = (each.LearningRate, each.WeightDecay, each.Decays, each.Groups);
    }

    /// <inheritdoc/>
    public override Optimizer Create(IEnumerable<(string Name, Parameter Parameter)> parameters) => new ShardedOptimizer(parameters, Each, workers);

    /// <inheritdoc/>
    protected internal override void Check() => Each.Check();

    private OptimizerOptions Each => each with { LearningRate = LearningRate, WeightDecay = WeightDecay, Decays = Decays, Groups = Groups };
}
