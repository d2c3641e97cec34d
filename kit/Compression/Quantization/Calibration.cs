using ResearchKit.Layers;
using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>
/// Watches what the linear layers of a model read: while this object is alive, every forward pass adds to their moments.
/// </summary>
/// <remarks>The model runs as it does otherwise. Run it in evaluation mode and without gradients, on a few batches.</remarks>
public sealed class Calibration : IDisposable
{
    private readonly Dictionary<string, InputMoments> moments = [];
    private readonly List<Action> removals = [];

    private Calibration()
    {
    }

    /// <summary>Moments of the inputs by the names of the layers.</summary>
    public IReadOnlyDictionary<string, InputMoments> Moments => moments;

    /// <summary>Starts watching.</summary>
    /// <param name="model">A model of the kit, or one with <c>Dense</c> layers.</param>
    /// <param name="filter">Selects layers by name; null for all.</param>
    /// <exception cref="ArgumentException">The filter selects no layer.</exception>
    /// <exception cref="InvalidOperationException">The model is packed for inference.</exception>
    public static Calibration Watch(nn.Module model, Func<string, bool>? filter = null)
    {
        Packing.Refuse(model, "calibrated");
        var calibration = new Calibration();
        foreach (var (name, module) in model.named_modules())
        {
            if (module is not IAdaptableLayer layer || module is not nn.Module<Tensor, Tensor> linear
                || filter?.Invoke(name) == false)
                continue;
            using var matrix = layer.Matrix();
            var seen = new InputMoments(matrix.shape[1], matrix.device);
            calibration.moments[name] = seen;
            var hook = linear.register_forward_pre_hook((_, x) => { seen.Add(x); return x; });
            calibration.removals.Add(hook.remove);
        }
        return calibration.moments.Count > 0 ? calibration
            : throw new ArgumentException("The filter chooses no linear layer of the model.", nameof(filter));
    }

    /// <summary>Stops watching; the moments stay.</summary>
    public void Stop()
    {
        foreach (var remove in removals) remove();
        removals.Clear();
    }

    /// <summary>Stops watching and frees the moments.</summary>
    public void Dispose()
    {
        Stop();
        foreach (var seen in moments.Values) seen.Dispose();
        moments.Clear();
    }
}
