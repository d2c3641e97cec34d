namespace ResearchKit.Checkpoints;

/// <summary>What the constructors of all of torchvision's networks have in common.</summary>
internal static class VisionArguments
{
    /// <summary>Parameters, and the one that decides only what a new network starts with.</summary>
    public static string[] With(params string[] parameters) => [.. parameters, "init_weights"];

    /// <summary>The published names; older files lack the counters of the batch norms.</summary>
    /// <param name="unused">Names that files may have and the network does without.</param>
    public static NameRules Names(params string[] unused) => new() { Ignored = unused, Optional = ["*num_batches_tracked"] };

    /// <summary>What a builder builds.</summary>
    /// <param name="file">Where it is named, as <c>architecture</c>.</param>
    /// <param name="name">The builder.</param>
    /// <param name="builders">All that there are.</param>
    /// <param name="others">Further names that are known.</param>
    public static T Find<T>(ConfigFile file, string name, (string Name, T Config)[] builders, params string[] others)
        where T : class =>
        builders.FirstOrDefault(builder => builder.Name == name).Config
        ?? throw file.Bad("architecture", $"one of {string.Join(", ", builders.Select(builder => builder.Name).Concat(others))}");
}
