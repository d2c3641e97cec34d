using ResearchKit.Layers;
using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>
/// Watches what the linear layers and convolutions of a model read: while this object is alive, every forward pass adds to their
/// moments.
/// </summary>
/// <remarks>
/// The model runs as it does otherwise. Run it in evaluation mode and without gradients, on a few batches. The inputs of a
/// convolution are the numbers in its window, so its second moment takes (channels · kernel height · kernel width)² numbers.
/// </remarks>
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
    /// <param name="model">A model of the kit, or one with linear layers or convolutions of the kit or of TorchSharp.</param>
    /// <param name="filter">Selects layers by name; null for all.</param>
    /// <param name="secondMoments">
    /// Whether to sum x xᵀ, which GPTQ, AutoRound and errors of outputs need. Without, static inputs have all they need.
    /// </param>
    /// <exception cref="ArgumentException">The filter selects no layer.</exception>
    /// <exception cref="InvalidOperationException">The model is packed for inference.</exception>
    public static Calibration Watch(nn.Module model, Func<string, bool>? filter = null, bool secondMoments = true)
    {
        Packing.Refuse(model, "calibrated");
        var calibration = new Calibration();
        foreach (var (name, layer) in IQuantizableLayer.Of(model))
        {
            if (layer.IsTable || layer.Module is not nn.Module<Tensor, Tensor> module || filter?.Invoke(name) == false) continue;
            using var matrix = layer.Matrix();
            var seen = new InputMoments(matrix.shape[1], matrix.device, secondMoments);
            calibration.moments[name] = seen;
            var hook = module.register_forward_pre_hook((_, x) =>
            {
                using var scope = NewDisposeScope();
                using var noGrad = no_grad();
                seen.Add(layer.Rows(x.detach()));
                return x;
            });
            calibration.removals.Add(hook.remove);
        }
        return calibration.moments.Count > 0 ? calibration
            : throw new ArgumentException("The filter chooses no linear layer or convolution of the model.", nameof(filter));
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
