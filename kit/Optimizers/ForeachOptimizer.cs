using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Optimizers;

/// <summary>An optimizer that moves all parameters of a kind at once, and remembers tensors of each.</summary>
/// <remarks>
/// To write one, name what it remembers in the constructor and move the parameters in <see cref="Move(ParameterBatch)"/>, which
/// runs without gradients and in a dispose scope of its own. Groups, decay rules, step counts and state in and out are done here.
/// </remarks>
public abstract class ForeachOptimizer : Optimizer
{
    private readonly List<TrainedParameter> trained;
    private readonly List<ParameterBucket> lanes;
    private readonly List<StateNumber> numbers = [];

    /// <summary>An optimizer that remembers tensors like the parameter, which begin as zeros.</summary>
    /// <param name="parameters">What is trained; those that need no gradient are left out.</param>
    /// <param name="options">Settings.</param>
    /// <param name="moments">Names of what it remembers, such as <c>exp_avg</c>.</param>
    /// <exception cref="ArgumentException">No parameter, one of them twice, or settings out of range.</exception>
    protected ForeachOptimizer(IEnumerable<(string Name, Parameter Parameter)> parameters,
        OptimizerSettings options, params string[] moments)
        : this(parameters, options, parameter => moments.Select(moment => (moment, zeros_like(parameter, requires_grad: false))))
    {
    }

    /// <summary>An optimizer that remembers tensors of any shape.</summary>
    /// <param name="parameters">What is trained; those that need no gradient are left out.</param>
    /// <param name="options">Settings.</param>
    /// <param name="state">What it remembers of a parameter, by name, as it is before the first step.</param>
    /// <exception cref="ArgumentException">No parameter, one of them twice, or settings out of range.</exception>
    protected ForeachOptimizer(IEnumerable<(string Name, Parameter Parameter)> parameters, OptimizerSettings options,
        Func<Parameter, IEnumerable<(string Name, Tensor Value)>> state)
    {
        options.Check();
        Settings = options;
        LearningRate = options.LearningRate;
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        trained = [.. Distinct(parameters)
            .Select(pair => new TrainedParameter(pair.Name, pair.Parameter, state(pair.Parameter)))];
        lanes = [.. trained.GroupBy(one => (Group: GroupOf(one, options), Decays: options.Decays(one.Name, one.Parameter),
            one.Parameter.dtype, Device: one.Parameter.device.ToString(), one.StateNames, one.IsSmall))
            .Select(alike => new ParameterBucket([.. alike], alike.Key.Group?.LearningRateFactor ?? 1,
                alike.Key.Decays ? alike.Key.Group?.WeightDecay ?? options.WeightDecay : 0))];
    }

    /// <summary>The settings it was made with.</summary>
    internal OptimizerSettings Settings { get; }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">It is negative or not a number.</exception>
    public sealed override double LearningRate
    {
        get;
        set
        {
            Require.NotNegative(value, nameof(LearningRate));
            field = value;
        }
    }

    /// <inheritdoc/>
    public sealed override void Step()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var moving = Moving(countsStep: true);
        if (moving.Count > 0) Move(moving);
    }

    /// <inheritdoc/>
    public override void ZeroGrad()
    {
        foreach (var one in trained) one.Parameter.grad = null;
    }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Tensor> State()
    {
        using var noGrad = no_grad();
        return trained.SelectMany(one => one.State())
            .Concat(numbers.Select(number => KeyValuePair.Create(number.Name, number.Write()))).ToDictionary();
    }

    /// <summary>A number that the optimizer remembers over all parameters; to be called in the constructor.</summary>
    /// <param name="name">Its name in <see cref="State"/>.</param>
    /// <param name="value">What it is before the first step.</param>
    protected StateNumber Number(string name, double value)
    {
        var number = new StateNumber(name, value);
        numbers.Add(number);
        return number;
    }

    /// <summary>Parameters that have a gradient now.</summary>
    /// <param name="countsStep">Whether this is a step of theirs.</param>
    private protected IReadOnlyList<ParameterBatch> Moving(bool countsStep) =>
        [.. lanes.SelectMany(lane => lane.Moving(LearningRate, countsStep))];

    /// <summary>Parameters that have made a step.</summary>
    private protected IEnumerable<TrainedParameter> Moved => trained.Where(one => one.Step > 0);

    /// <inheritdoc/>
    protected internal override void Loaded()
    {
        foreach (var one in trained) one.ReadStep();
        foreach (var number in numbers) number.Read();
    }

    /// <summary>Moves parameters that are alike, in place.</summary>
    protected abstract void Move(ParameterBatch moving);

    /// <summary>Moves all parameters of a step; to be overridden where a number over all of them is needed.</summary>
    protected virtual void Move(IReadOnlyList<ParameterBatch> all)
    {
        foreach (var moving in all) Move(moving);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (!disposing) return;
        foreach (var one in trained) one.Dispose();
        foreach (var number in numbers) number.Dispose();
    }

    private static ParameterGroup? GroupOf(TrainedParameter one, OptimizerSettings options) =>
        options.Groups.FirstOrDefault(group => group.Holds(one.Name, one.Parameter));

    /// <summary>Those that need a gradient, each once.</summary>
    internal static List<(string Name, Parameter Parameter)> Distinct(IEnumerable<(string Name, Parameter Parameter)> parameters)
    {
        var named = parameters.Where(pair => pair.Parameter.requires_grad).ToList();
        if (named.Count == 0) throw new ArgumentException("There is no parameter to train.", nameof(parameters));
        var names = new HashSet<string>();
        var handles = new Dictionary<IntPtr, string>();
        foreach (var (name, parameter) in named)
        {
            if (!names.Add(name)) throw new ArgumentException($"Two parameters are called {name}.", nameof(parameters));
            if (!handles.TryAdd(parameter.Handle, name))
                throw new ArgumentException($"{name} is the same parameter as {handles[parameter.Handle]}.", nameof(parameters));
        }
        return named;
    }
}
