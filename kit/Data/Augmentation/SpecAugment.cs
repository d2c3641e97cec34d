using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Data;

/// <summary>Masks bands and frames of a spectrogram. Time warping, the third change of the paper, is left out.</summary>
/// <remarks>Park et al., 2019, https://arxiv.org/abs/1904.08779: policy LB has 1 mask of 27 bands and 1 of 100 frames.</remarks>
public sealed record SpecAugment
{
    /// <summary>Number of masks over bands, m_F.</summary>
    public int BandMasks { get; init; } = 1;

    /// <summary>Largest number of bands of a mask, F.</summary>
    public int MostBands { get; init; } = 27;

    /// <summary>Number of masks over frames, m_T.</summary>
    public int FrameMasks { get; init; } = 1;

    /// <summary>Largest number of frames of a mask, T.</summary>
    public int MostFrames { get; init; } = 100;

    /// <summary>Largest share of the frames that a mask covers, p.</summary>
    public double MostOfFrames { get; init; } = 1;

    /// <summary>Masks a spectrogram in place: the masked values become its mean.</summary>
    /// <param name="features">Float [frames, bands], of a recording without padding.</param>
    /// <param name="random">The random numbers.</param>
    /// <exception cref="ArgumentException">The features do not have two axes, or a setting is negative.</exception>
    public void Apply(Tensor features, RandomNumbers random)
    {
        ArgumentNullException.ThrowIfNull(features);
        ArgumentNullException.ThrowIfNull(random);
        foreach (var (value, name) in new[] { (BandMasks, nameof(BandMasks)), (MostBands, nameof(MostBands)),
            (FrameMasks, nameof(FrameMasks)), (MostFrames, nameof(MostFrames)) }) Require.AtLeast(0, value, name);
        if (features.dim() != 2) throw new ArgumentException($"Got features {features.ShapeText()}; expected [frames, bands].");
        using var scope = NewDisposeScope();
        var mean = features.mean();
        var (frames, bands) = ((int)features.shape[0], (int)features.shape[1]);
        for (var mask = 0; mask < BandMasks; mask++) Mask(1, bands, MostBands);
        for (var mask = 0; mask < FrameMasks; mask++) Mask(0, frames, Math.Min(MostFrames, (int)(MostOfFrames * frames)));

        void Mask(int axis, int length, int most)
        {
            var width = Math.Min(random.Whole(most + 1), length);
            var first = random.Whole(length - width + 1);
            if (width > 0) features.narrow(axis, first, width).copy_(mean);
        }
    }
}
