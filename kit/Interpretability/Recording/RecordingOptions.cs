using static TorchSharp.torch;

namespace ResearchKit.Interpretability;

/// <summary>What a recording keeps, and where.</summary>
public sealed record RecordingOptions
{
    /// <summary>
    /// Names of hook points or other modules, or patterns such as <c>h.*.hook_resid_post</c>, where <c>*</c> stands for any
    /// characters; empty for all hook points.
    /// </summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    /// <summary>Keeps only the names for which it returns true; null for all.</summary>
    public Func<string, bool>? Filter { get; init; }

    /// <summary>
    /// The first layer that does not run, from 0: the pass stops before it, and there is no output. Null to run the whole model.
    /// </summary>
    public int? StopAtLayer { get; init; }

    /// <summary>Where the activations are kept; null for the device of the model.</summary>
    public Device? Device { get; init; }

    /// <summary>The dtype of the copies, such as bfloat16, which halves their memory; null for that of the activation.</summary>
    public ScalarType? DType { get; init; }

    /// <summary>
    /// Whether gradients can be computed at the recorded places, see <see cref="ActivationCache.Backward"/>. The pass then
    /// builds a graph.
    /// </summary>
    public bool Gradients { get; init; }
}
