using ResearchKit.Optimizers;
using ResearchKit.Training;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace ResearchKit.Distributed;

/// <summary>
/// An optimizer whose state is spread over the processes: each moves its own part of the parameters and sends it to the others.
/// </summary>
/// <remarks>
/// Rajbhandari et al., 2020, https://arxiv.org/abs/1910.02054, stage 1: of K processes each remembers about 1/K. A parameter
/// belongs to one process as a whole. The steps are those of the unsharded optimizer, bit for bit, where each parameter moves by
/// its own gradient and state; one that takes a number over all parameters (Prodigy does) takes it over its part. All processes
/// call <see cref="Step"/>, <see cref="State"/>, <see cref="Train"/> and <see cref="Evaluate"/> together, with the same
/// gradients. A trainer takes it as
/// <c>Optimizer = parameters => new ShardedOptimizer(parameters, new FusedAdamWOptions { … }, workers)</c>.
/// </remarks>
public sealed class ShardedOptimizer : Optimizer
{
    private readonly ICommunicator workers;
    private readonly List<List<(string Name, Parameter Parameter)>> parts;
    private readonly Optimizer? own;
    private readonly List<Tensor> gathered = [];
    private bool evaluates;

    /// <param name="parameters">What is trained, the same in all processes; those that need no gradient are left out.</param>
    /// <param name="settings">Which optimizer, and its settings.</param>
    /// <param name="workers">The processes.</param>
    /// <exception cref="ArgumentException">No parameter, one of them twice, or settings out of range.</exception>
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

    /// <summary>Names of the parameters that this process moves.</summary>
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
    /// The state, under the names that the unsharded optimizer gives: the whole of it in process 0, which can write it; its own
    /// part in every other.
    /// </summary>
    /// <returns>The optimizer's own tensors: valid until its next step, and not to be disposed.</returns>
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
    /// Takes this process's part of a whole state, written by this optimizer over any number of processes or by the unsharded
    /// one.
    /// </summary>
    /// <param name="state">The whole state.</param>
    /// <exception cref="InvalidDataException">
    /// A name is missing, or a shape or dtype differs; then nothing has been copied.
    /// </exception>
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

    /// <summary>Copies each part from the process that moved it.</summary>
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
