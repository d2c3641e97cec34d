using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Optimizers;

/// <summary>
/// Base class of optimizers that update all parameters of a group in one operation, and keep state tensors for
/// each.
/// </summary>
/// <remarks>
/// To write one, name the state tensors in the constructor, and update the parameters in
/// <see cref="Move(ParameterBatch)"/>, which runs without recording gradients and in a dispose scope of its
/// own. This class handles parameter groups, decay rules, step counts, and saving and loading of the state.
/// </remarks>
public abstract class ForeachOptimizer : Optimizer
{
    private readonly List<TrainedParameter> trained;
    private readonly List<ParameterBucket> lanes;
    private readonly List<StateNumber> numbers = [];

    /// <summary>
    /// Creates an optimizer whose state tensors have the shape of the parameter and start at zero.
    /// </summary>
    /// <param name="parameters">Parameters to optimize; those that need no gradient are skipped.</param>
    /// <param name="options">Settings.</param>
    /// <param name="moments">Names of the state tensors, such as <c>exp_avg</c>.</param>
    /// <exception cref="ArgumentException">There is no parameter, a parameter occurs twice, or a setting is out of
    /// range.</exception>
    protected ForeachOptimizer(IEnumerable<(string Name, Parameter Parameter)> parameters,
        OptimizerSettings options, params string[] moments)
        : this(parameters, options, parameter => moments.Select(moment => (moment, zeros_like(parameter, requires_grad: false))))
    {
    }

    /// <summary>Creates an optimizer with state tensors of any shape.</summary>
    /// <param name="parameters">Parameters to optimize; those that need no gradient are skipped.</param>
    /// <param name="options">Settings.</param>
    /// <param name="state">Returns the initial state tensors of a parameter, with their names.</param>
    /// <exception cref="ArgumentException">There is no parameter, a parameter occurs twice, or a setting is out of
    /// range.</exception>
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
    /// <exception cref="ArgumentException">The value is negative or not a number.</exception>
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

    /// <summary>
    /// Adds a number to the optimizer's state that is not tied to a parameter. Call it in the constructor.
    /// </summary>
    /// <param name="name">Name of the number in <see cref="State"/>.</param>
    /// <param name="value">Initial value.</param>
    protected StateNumber Number(string name, double value)
    {
        var number = new StateNumber(name, value);
        numbers.Add(number);
        return number;
    }

    /// <summary>Returns the parameters that have a gradient now.</summary>
    /// <param name="countsStep">Whether to increase the step count of these parameters.</param>
    private protected IReadOnlyList<ParameterBatch> Moving(bool countsStep) =>
        [.. lanes.SelectMany(lane => lane.Moving(LearningRate, countsStep))];

    /// <summary>Parameters that have been updated at least once.</summary>
    private protected IEnumerable<TrainedParameter> Moved => trained.Where(one => one.Step > 0);

    /// <inheritdoc/>
    protected internal override void Loaded()
    {
        foreach (var one in trained) one.ReadStep();
        foreach (var number in numbers) number.Read();
    }

    /// <summary>Updates the parameters of a batch in place.</summary>
    protected abstract void Move(ParameterBatch moving);

    /// <summary>
    /// Updates all parameters of a step. Override it if the update needs a number over all of them.
    /// </summary>
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

    /// <summary>Returns the parameters that need a gradient, and throws if one of them occurs twice.</summary>
    internal static List<(string Name, Parameter Parameter)> Distinct(IEnumerable<(string Name, Parameter Parameter)> parameters)
    {
        var named = parameters.Where(pair => pair.Parameter.requires_grad).ToList();
        if (named.Count == 0) throw new ArgumentException("There is no parameter to train.", nameof(parameters));
        var names = new HashSet<string>();
        var handles = new Dictionary<IntPtr, string>();
        foreach (var (name, parameter) in named)
        {
            if (!names.Add(name))
                throw new ArgumentException($"Two parameters have the name {name}; expected different names.",
                    nameof(parameters));
            if (!handles.TryAdd(parameter.Handle, name))
                throw new ArgumentException($"{name} is the same parameter as {handles[parameter.Handle]}.", nameof(parameters));
        }
        return named;
    }
}
