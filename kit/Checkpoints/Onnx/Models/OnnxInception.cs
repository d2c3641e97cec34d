using ResearchKit.Models;

namespace ResearchKit.Checkpoints;

/// <summary><see cref="GoogLeNet"/> and <see cref="InceptionV3"/> as ONNX graphs, without their auxiliary heads.</summary>
internal static class OnnxInception
{
    public static void Add(OnnxBuilder make, GoogLeNetConfig config)
    {
        var x = make.Basic(Input(make, config.InputChannels, config.TransformInput), "conv1");
        if (config.Stem == Stem.Standard) x = make.MaxPool(x, 3, 2, roundsUp: true);
        x = make.MaxPool(make.Basic(make.Basic(x, "conv2"), "conv3"), 3, 2, roundsUp: true);
        foreach (var name in "3a 3b pool3 4a 4b 4c 4d 4e pool2 5a 5b".Split(' '))
            x = name.StartsWith("pool", StringComparison.Ordinal) ? make.MaxPool(x, name[^1] - '0', 2, roundsUp: true)
                : Branches(make, x, $"inception{name}");
        make.PooledHead(x, config.Classes);
    }

    public static void Add(OnnxBuilder make, InceptionV3Config config)
    {
        string Follow(string x, params string[] names) => names.Aggregate(x, (x, name) => make.Basic(x, name));
        string Numbered(string x, string name, int count) =>
            Follow(x, [.. Enumerable.Range(1, count).Select(number => $"{name}_{number}")]);
        string Pooled(string x, string name) => make.Basic(make.MeanPool(x), $"{name}.branch_pool");

        var x = Input(make, config.InputChannels, config.TransformInput);
        x = make.MaxPool(Follow(x, "Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3"), 3, 2);
        x = make.MaxPool(Follow(x, "Conv2d_3b_1x1", "Conv2d_4a_3x3"), 3, 2);
        foreach (var name in new[] { "Mixed_5b", "Mixed_5c", "Mixed_5d" })
            x = make.Join(make.Basic(x, $"{name}.branch1x1"), Numbered(x, $"{name}.branch5x5", 2),
                Numbered(x, $"{name}.branch3x3dbl", 3), Pooled(x, name));
        x = make.Join(make.Basic(x, "Mixed_6a.branch3x3"), Numbered(x, "Mixed_6a.branch3x3dbl", 3), make.MaxPool(x, 3, 2));
        foreach (var name in new[] { "Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e" })
            x = make.Join(make.Basic(x, $"{name}.branch1x1"), Numbered(x, $"{name}.branch7x7", 3),
                Numbered(x, $"{name}.branch7x7dbl", 5), Pooled(x, name));
        x = make.Join(Numbered(x, "Mixed_7a.branch3x3", 2), Numbered(x, "Mixed_7a.branch7x7x3", 4), make.MaxPool(x, 3, 2));
        foreach (var name in new[] { "Mixed_7b", "Mixed_7c" })
        {
            var (once, twice) = (make.Basic(x, $"{name}.branch3x3_1"), Numbered(x, $"{name}.branch3x3dbl", 2));
            x = make.Join(make.Basic(x, $"{name}.branch1x1"),
                make.Basic(once, $"{name}.branch3x3_2a"), make.Basic(once, $"{name}.branch3x3_2b"),
                make.Basic(twice, $"{name}.branch3x3dbl_3a"), make.Basic(twice, $"{name}.branch3x3dbl_3b"), Pooled(x, name));
        }
        make.PooledHead(x, config.Classes);
    }

    /// <summary>GoogLeNet's module: four branches on the same input.</summary>
    private static string Branches(OnnxBuilder make, string x, string name)
    {
        string Twice(string branch) => make.Basic(make.Basic(x, $"{name}.{branch}.0"), $"{name}.{branch}.1");
        return make.Join(make.Basic(x, $"{name}.branch1"), Twice("branch2"), Twice("branch3"),
            make.Basic(make.MaxPool(x, 3, 1, 1, roundsUp: true), $"{name}.branch4.1"));
    }

    private static string Input(OnnxBuilder make, int channels, bool transforms)
    {
        var x = make.Images(channels);
        if (!transforms) return x;
        var (factor, offset) = SignedImages.Change();
        return make.Add(make.Multiply(x, make.Graph.Constant("image factor", () => factor)),
            make.Graph.Constant("image offset", () => offset));
    }
}
