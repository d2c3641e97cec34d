using ResearchKit.Optimizers;
using ResearchKit.Training;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace ResearchKit.Distributed;

/// <summary>
/// An optimizer whose state is sharded over the processes: each updates its own part of the parameters and
/// broadcasts it to the others.
/// </summary>
/// <remarks>
/// Stage 1 of ZeRO, Rajbhandari et al., 2020, https://arxiv.org/abs/1910.02054: each of K processes holds about
/// 1/K of the state. A parameter belongs to one process as a whole. If the update of a parameter depends only
/// on its own gradient and state, the steps equal those of the unsharded optimizer, bit for bit. An optimizer
/// that computes a number over all parameters, as Prodigy does, computes it over its own part. All processes
/// must call <see cref="Step"/>, <see cref="State"/>, <see cref="Train"/> and <see cref="Evaluate"/> together,
/// with the same gradients. To use it in a trainer, set <c>Optimizer = parameters => new
/// ShardedOptimizer(parameters, new FusedAdamWOptions { … }, workers)</c>.
/// </remarks>
public sealed class ShardedOptimizer : Optimizer
{
    private readonly ICommunicator workers;
    private readonly List<List<(string Name, Parameter Parameter)>> parts;
    private readonly Optimizer? own;
    private readonly List<Tensor> gathered = [];
    private bool evaluates;

    /// <param name="parameters">Parameters to optimize, the same in all processes; those that need no gradient are
    /// skipped.</param>
    /// <param name="settings">Settings of the optimizer, which also choose its kind.</param>
    /// <param name="workers">The processes.</param>
    /// <exception cref="ArgumentException">There is no parameter, a parameter occurs twice, or a setting is out of
    /// range.</exception>
    public ShardedOptimizer(IEnumerable<(string Name, Parameter Parameter)> parameters,
        OptimizerSettings settings, ICommunicator workers)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(workers);
        settings.Check();
        var trained = ForeachOptimizer.Distinct(parameters);
        this.workers = workers;
        parts = Shards.Of(trained, pair => pair.Parameter.numel() * pair.Parameter.element_size(), workers.WorldSize);
        own = parts[workers.Rank].Count > 0 ? settings.Create(parts[workers.Rank]) : null;
        LearningRate = settings.LearningRate;
        Name = $"sharded {settings.GetType().Name.Replace("Options", "", StringComparison.Ordinal)}";
    }

    /// <inheritdoc/>
    public override string Name { get; }

    /// <summary>Names of the parameters that this process updates.</summary>
    public IReadOnlyList<string> Own => [.. parts[workers.Rank].Select(pair => pair.Name)];

    /// <inheritdoc/>
    public override double LearningRate
    {
        get;
        set
        {
            if (own is not null) own.LearningRate = value;
            field = value;
        }
    }

    /// <inheritdoc/>
    public override void Step()
    {
        own?.Step();
        Share();
    }

    /// <inheritdoc/>
    public override void ZeroGrad()
    {
        foreach (var (_, parameter) in parts.SelectMany(part => part)) parameter.grad = null;
    }

    /// <summary>
    /// Returns the state, with the names of the unsharded optimizer: in process 0 the whole of it, to be saved; in
    /// every other process its own part.
    /// </summary>
    /// <returns>The optimizer's own tensors: valid until its next step, and not to be disposed by the
    /// caller.</returns>
    public override IReadOnlyDictionary<string, Tensor> State()
    {
        Forget();
        var state = own?.State().ToDictionary() ?? [];
        for (var owner = 1; owner < workers.WorldSize; owner++)
            foreach (var (name, tensor) in SentState.Copy(workers, owner, state))
            {
                gathered.Add(tensor);
                state.TryAdd(name, tensor);
            }
        return state;
    }

    /// <summary>
    /// Loads this process's part of a whole state. The state may come from this optimizer over any number of
    /// processes, or from the unsharded one.
    /// </summary>
    /// <param name="state">The whole state, not only this process's part.</param>
    /// <exception cref="InvalidDataException">A name is missing, or a shape or dtype differs; then nothing was
    /// copied.</exception>
    public override void LoadState(IReadOnlyDictionary<string, Tensor> state) => own?.LoadState(state);

    /// <inheritdoc/>
    public override void Train()
    {
        own?.Train();
        if (evaluates) Share();
        evaluates = false;
    }

    /// <inheritdoc/>
    public override void Evaluate()
    {
        own?.Evaluate();
        if (!evaluates) Share();
        evaluates = true;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (!disposing) return;
        Forget();
        own?.Dispose();
    }

    /// <summary>Broadcasts each part of the parameters from the process that updated it.</summary>
    private void Share()
    {
        Forget();
        for (var owner = 0; owner < workers.WorldSize; owner++)
            workers.Broadcast([.. parts[owner].Select(pair => pair.Parameter)], owner);
    }

    private void Forget()
    {
        foreach (var tensor in gathered) tensor.Dispose();
        gathered.Clear();
    }
}
