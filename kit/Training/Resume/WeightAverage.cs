using ResearchKit.Native;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Training;

/// <summary>
/// The exponential moving average (EMA) of a model's weights, which often gives a lower held-out loss than the
/// last weights.
/// </summary>
/// <remarks>Polyak and Juditsky, 1992; a ← decay · a + (1 - decay) · w after each step.</remarks>
internal sealed class WeightAverage : IDisposable
{
    private static readonly TorchScript Script = new("WeightAverage.py");

    private readonly (string Name, Tensor Weight)[] weights;
    private readonly Tensor[] averages;
    private readonly double decay;

    public WeightAverage(nn.Module model, double decay)
    {
        using var noGrad = no_grad();
        this.decay = decay;
        weights = [.. model.named_parameters().Where(pair => pair.parameter.is_floating_point())
            .Select(pair => (pair.name, (Tensor)pair.parameter))];
        averages = [.. weights.Select(pair => pair.Weight.detach().clone().DetachFromDisposeScope())];
    }

    /// <summary>Updates the average with the current weights.</summary>
    public void Update()
    {
        using var noGrad = no_grad();
        Script.Call("approach", averages, Array.ConvertAll(weights, pair => pair.Weight), 1 - decay);
    }

    /// <summary>Puts the averages into the model until the returned object is disposed.</summary>
    public IDisposable Use()
    {
        using var noGrad = no_grad();
        var own = Array.ConvertAll(weights, pair => pair.Weight.detach().clone().DetachFromDisposeScope());
        Fill(averages);
        return Disposable.Of(() =>
        {
            Fill(own);
            foreach (var value in own) value.Dispose();
        });
    }

    /// <summary>Returns the averages by parameter name; this object keeps ownership.</summary>
    public IReadOnlyDictionary<string, Tensor> State() =>
        weights.Zip(averages).ToDictionary(pair => pair.First.Name, pair => pair.Second);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var average in averages) average.Dispose();
    }

    private void Fill(Tensor[] values)
    {
        using var noGrad = no_grad();
        foreach (var ((_, weight), value) in weights.Zip(values)) weight.copy_(value);
    }
}
