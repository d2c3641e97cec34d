namespace ResearchKit.Tests.Arrows;

/// <summary>The folders of a project, and the folders that the code of each may use.</summary>
/// <param name="Direct">For each folder those of its row; it may also use what they may use.</param>
internal sealed record ArrowTable(IReadOnlyDictionary<string, string[]> Direct)
{
    /// <summary>The folders of kit/; some are planned and do not exist yet.</summary>
    public static ArrowTable Kit { get; } = new(new Dictionary<string, string[]>
    {
        ["Native"] = [],
        ["Tensors"] = ["Native"],
        ["Results"] = ["Tensors"],
        ["Metrics"] = ["Tensors"],
        ["Data"] = ["Tensors"],
        ["Layers"] = ["Tensors", "Results"],
        ["Optimizers"] = ["Tensors"],
        ["Models"] = ["Layers"],
        ["Checkpoints"] = ["Models", "Data"],
        ["Training"] = ["Optimizers", "Data", "Checkpoints", "Metrics"],
        ["Distributed"] = ["Training"],
        ["Tasks"] = ["Training"],
        ["Compression"] = ["Layers", "Models", "Training", "Checkpoints"],
        ["Scaling"] = ["Models", "Training"],
        ["Interpretability"] = ["Layers", "Models", "Training"],
        ["Dictionaries"] = ["Interpretability", "Training"],
        ["Attribution"] = ["Interpretability"],
        ["Surrogates"] = ["Data", "Metrics", "Results"],
        ["Formatting"] = ["Distributed", "Tasks", "Compression", "Scaling", "Dictionaries", "Attribution", "Surrogates"],
    });

    /// <summary>The folders of kernel/.</summary>
    public static ArrowTable Kernel { get; } = new(new Dictionary<string, string[]>
    {
        ["Cells"] = [],
        ["Protocol"] = ["Cells"],
        ["Notebooks"] = ["Cells"],
        ["Packages"] = ["Cells"],
        ["Languages"] = ["Cells", "Protocol", "Packages"],
        ["Kit"] = ["Cells"],
        ["Sessions"] = ["Languages", "Notebooks", "Kit"],
        ["Jupyter"] = ["Sessions", "Protocol"],
        ["Commands"] = ["Jupyter", "Sessions"],
    });

    /// <summary>
    /// Types of the kit that all of the kernel may use: the run record and its writer, which load nothing native.
    /// </summary>
    public static IReadOnlySet<string> PlainOfTheKit { get; } = new HashSet<string>
    {
        "AtomicWrite", "GitCommit", "Measurement", "RunCell", "RunError", "RunFile", "RunFolders", "RunProcess", "RunRecord",
            "TrainingRun",
    };

    /// <summary>
    /// Whether code of one folder may use a type of another. What lies in no folder, such as Program.cs, may use all.
    /// </summary>
    public bool Allows(string from, string to) => from == to || from.Length == 0 || Reach(from).Contains(to);

    /// <summary>The folders that a folder may use, directly or through others.</summary>
    public IReadOnlySet<string> Reach(string folder) =>
        Direct.TryGetValue(folder, out var row) ? row.Concat(row.SelectMany(Reach)).ToHashSet() : new HashSet<string>();
}
