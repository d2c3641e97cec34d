using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Interpretability;

/// <summary>Where the sites of a sweep are in a model.</summary>
internal static class PatchSites
{
    /// <summary>Whether the columns of a sweep are heads.</summary>
    public static bool IsOfHeads(PatchSite site) => site >= PatchSite.HeadOut;

    /// <summary>What the site is, in words.</summary>
    public static string Words(PatchSite site) => site switch
    {
        PatchSite.ResidualPre => "the stream before a layer",
        PatchSite.ResidualMid => "the stream before an MLP",
        PatchSite.ResidualPost => "the stream after a layer",
        PatchSite.AttentionOut => "the output of attention",
        PatchSite.MlpOut => "the output of an MLP",
        PatchSite.HeadOut => "the output of a head",
        PatchSite.Query => "the queries of a head",
        PatchSite.Key => "the keys of a head",
        PatchSite.Value => "the values of a head",
        _ => "the pattern of a head",
    };

    /// <summary>Name of the hook point of a site in a layer.</summary>
    /// <exception cref="ArgumentException">The layer has no MLP.</exception>
    /// <exception cref="KeyNotFoundException">The model has no such hook point.</exception>
    public static string Place(nn.Module model, LayerParts layer, PatchSite site)
    {
        var attention = layer.Branches[0];
        var name = site switch
        {
            PatchSite.ResidualPre => layer.Begin,
            PatchSite.ResidualMid => $"{layer.Name}.hook_resid_mid",
            PatchSite.ResidualPost => layer.End,
            PatchSite.AttentionOut => attention.Output,
            PatchSite.MlpOut => layer.Branches[^1] is { IsAttention: false } mlp ? mlp.Output
                : throw new ArgumentException($"{model.GetName()} has no MLP to patch."),
            PatchSite.HeadOut => attention.Inner,
            PatchSite.Query => $"{attention.Module}.hook_q",
            PatchSite.Key => $"{attention.Module}.hook_k",
            PatchSite.Value => $"{attention.Module}.hook_v",
            _ => $"{attention.Module}.hook_pattern",
        };
        return Places.Named(model, name).Name;
    }

    /// <summary>Requires two inputs of one shape.</summary>
    /// <exception cref="ArgumentException">The shapes differ.</exception>
    public static void CheckShapes(Tensor source, Tensor patched)
    {
        if (!source.shape.SequenceEqual(patched.shape))
            throw new ArgumentException($"The source is {source.ShapeText()} and the patched input {patched.ShapeText()}; "
                + "expected the same shape.", nameof(patched));
    }
}
