namespace ResearchKit.Checkpoints;

/// <summary>Constructor arguments and tensor names that all networks of torchvision share.</summary>
internal static class VisionArguments
{
    /// <summary>
    /// Returns the parameters followed by <c>init_weights</c>, which affects only the initialization of a new
    /// network.
    /// </summary>
    public static string[] With(params string[] parameters) => [.. parameters, "init_weights"];

    /// <summary>
    /// Returns the name rules of torchvision's files; older files lack the batch norms' <c>num_batches_tracked</c>.
    /// </summary>
    /// <param name="unused">Names in files that the network does not use.</param>
    public static NameRules Names(params string[] unused) => new() { Ignored = unused, Optional = ["*num_batches_tracked"] };

    /// <summary>Returns the configuration that a builder function of torchvision makes.</summary>
    /// <param name="file">The configuration file, whose field <c>architecture</c> names the builder.</param>
    /// <param name="name">Name of the builder.</param>
    /// <param name="builders">All known builders.</param>
    /// <param name="others">Further valid names, for the error message.</param>
    public static T Find<T>(ConfigFile file, string name, (string Name, T Config)[] builders, params string[] others)
        where T : class =>
        builders.FirstOrDefault(builder => builder.Name == name).Config
        ?? throw file.Bad("architecture", $"one of {string.Join(", ", builders.Select(builder => builder.Name).Concat(others))}");
}
