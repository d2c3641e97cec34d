using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>A linear layer that can have a low-rank adapter.</summary>
internal interface IAdaptableLayer
{
    /// <summary>The weight as it is stored.</summary>
    Parameter Stored { get; }

    /// <summary>Whether the weight is stored as [in, out] instead of [out, in].</summary>
    bool IsTransposed { get; }

    /// <summary>Input channels.</summary>
    long Inputs => Stored.shape[IsTransposed ? 0 : 1];

    /// <summary>Output channels.</summary>
    long Outputs => Stored.shape[IsTransposed ? 1 : 0];

    /// <summary>The adapter; null where there is none.</summary>
    LowRankAdapter? Adapter { get; }

    /// <summary>The grid that the weight is rounded to in every forward pass; null outside quantization-aware training.</summary>
    Tensors.QuantizationScheme? TrainingScheme { get; set; }

    /// <summary>Adds the adapter as a submodule, or fills the place of one that was removed.</summary>
    /// <exception cref="InvalidOperationException">The layer has one, or is packed.</exception>
    void Attach(LowRankAdapter adapter);

    /// <summary>The weight as [out, in], a view; the caller disposes it.</summary>
    Tensor Matrix() => IsTransposed ? Stored.t() : Stored.alias();
}
