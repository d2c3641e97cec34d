using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Optimizers;

/// <summary>Adapter for one of TorchSharp's own optimizers, such as <c>torch.optim.RMSProp(…)</c>.</summary>
/// <remarks>
/// Its state is one tensor of bytes, <c>torch_optimizer</c>, in TorchSharp's own format. LBFGS is not
/// supported: it calls the model itself and is native, which fits neither <see cref="Step"/> nor
/// <see cref="State"/>.
/// </remarks>
/// <param name="optimizer">The optimizer, with the parameters of a model; it is disposed with this
/// object.</param>
public sealed class TorchOptimizer(optim.Optimizer optimizer) : Optimizer
{
    private const string StateName = "torch_optimizer";

    private readonly double[] factors = Factors(optimizer);
    private Tensor? saved;

    /// <summary>Name of TorchSharp's optimizer.</summary>
    public override string Name => optimizer.GetType().Name;

    /// <summary>
    /// Learning rate of the next step for the first group; the other groups keep their ratio to it.
    /// </summary>
    public override double LearningRate
    {
        get => optimizer.ParamGroups.First().LearningRate;
        set
        {
            Require.NotNegative(value, nameof(LearningRate));
            foreach (var (group, factor) in optimizer.ParamGroups.Zip(factors)) group.LearningRate = value * factor;
        }
    }

    /// <inheritdoc/>
    public override void Step()
    {
        using var scope = NewDisposeScope();
        optimizer.step();
    }

    /// <inheritdoc/>
    public override void ZeroGrad()
    {
        foreach (var parameter in optimizer.parameters()) parameter.grad = null;
    }

    /// <inheritdoc/>
    /// <exception cref="NotSupportedException">TorchSharp cannot save the state of this optimizer.</exception>
    public override IReadOnlyDictionary<string, Tensor> State()
    {
        saved?.Dispose();
        saved = tensor(Save()).DetachFromDisposeScope();
        return new Dictionary<string, Tensor> { [StateName] = saved };
    }

    /// <inheritdoc/>
    public override void LoadState(IReadOnlyDictionary<string, Tensor> state)
    {
        var before = Save();
        if (!state.TryGetValue(StateName, out var bytes) || bytes.dtype != uint8)
            throw new InvalidDataException($"The optimizer's state lacks {StateName}, a uint8 tensor with TorchSharp's "
            + "state.");
        try
        {
            using var here = bytes.cpu();
            Load(here.data<byte>().ToArray());
        }
        catch (Exception error) when (error
            is ArgumentException or IOException or InvalidOperationException or System.Runtime.InteropServices.ExternalException)
        {
            Load(before);
            throw new InvalidDataException(
                $"{StateName} is not the state of a {optimizer.GetType().Name} over these parameters: {error.Message}", error);
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (!disposing) return;
        saved?.Dispose();
        optimizer.Dispose();
    }

    private OptimizerHelper Managed => optimizer as OptimizerHelper
        ?? throw new NotSupportedException($"TorchSharp cannot save the state of {optimizer.GetType().Name}.");

    private byte[] Save()
    {
        using var bytes = new MemoryStream();
        using (var writer = new BinaryWriter(bytes)) Managed.save_state_dict(writer);
        return bytes.ToArray();
    }

    private void Load(byte[] bytes)
    {
        using var noGrad = no_grad();
        using var reader = new BinaryReader(new MemoryStream(bytes));
        Managed.load_state_dict(reader);
    }

    private static double[] Factors(optim.Optimizer optimizer)
    {
        var first = optimizer.ParamGroups.First().LearningRate;
        return [.. optimizer.ParamGroups.Select(group => first == 0 ? 1 : group.LearningRate / first)];
    }
}
